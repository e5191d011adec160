/** The directory that the configuration names, or null where it names none. */
import { createJsonSource } from "./json-source.ts";
import type { JsonSourceConfig } from "./json-source-config.ts";
import type { DirectorySource } from "./source.ts";
import { createWisproSource } from "./wispro.ts";

/** At most one of the two: the configuration refuses both. */
export interface DirectoryConfig {
  wispro: { url: string; token: string } | null;
  json: JsonSourceConfig | null;
}

export function openDirectorySource({ wispro, json }: DirectoryConfig): DirectorySource | null {
  if (wispro !== null) return createWisproSource(wispro);
  return json === null ? null : createJsonSource(json);
}
