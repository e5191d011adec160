/** A master key that a command is given in a file: what stands on a command line can be read by everybody on the machine. */
import { existsSync, readFileSync } from "node:fs";
import { UsageError } from "./command-error.ts";

export function keyIn(file: string): string {
  if (!existsSync(file)) throw new UsageError(`There is no file ${file}.`);
  return readFileSync(file, "utf8").trim();
}
