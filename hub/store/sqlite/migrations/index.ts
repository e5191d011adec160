/** Every step of the schema, in order. A released step never changes: data on disk was made by it. */
import { foundation } from "./0001-foundation.ts";

export const migrations: readonly string[] = [foundation];
