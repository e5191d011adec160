/** The directory that the configuration names, or null where it names none. */
import { createJsonSource } from "./json-source.ts";
import type { DirectorySource } from "./source.ts";
import { createWisproSource } from "./wispro.ts";

export interface DirectoryConfig {
  wispro: { url: string; token: string } | null;
  /** Of the generic source, as the operator wrote it; undefined where there is none. */
  source: unknown;
}

/** @throws Error naming everything that is wrong with the configuration */
export function openDirectorySource({ wispro, source }: DirectoryConfig): DirectorySource | null {
  if (wispro !== null && source !== undefined)
    throw new Error("Two client directories are configured; leave Wispro or the JSON source out.");
  if (wispro !== null) return createWisproSource(wispro);
  return source === undefined ? null : createJsonSource(source);
}
