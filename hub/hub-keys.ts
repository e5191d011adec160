/** The master keys of a hub, from its settings or its file; a hub whose key does not fit its data must not begin. */
import { join } from "node:path";
import { readMasterKeys, type MasterKeys } from "./sessions/master-key.ts";
import { assertMasterKey } from "./sessions/vault.ts";
import { peekDataKey } from "./store/peek.ts";

export interface HubKeys {
  /** Where the key is kept; null when it comes from the configuration. */
  file: string | null;
  read(mayCreate: boolean): Promise<MasterKeys>;
}

/** Writes nothing, not even that the data was opened. @throws Error when the key is not the one that sealed the data */
export async function hubKeys({
  dataDir,
  masterKey,
  masterKeyPrevious,
  masterKeyFile,
}: {
  dataDir: string;
  masterKey: string | null;
  masterKeyPrevious: string | null;
  masterKeyFile: string | null;
}): Promise<HubKeys> {
  const file = masterKeyFile ?? join(dataDir, "master.key");
  const read = (mayCreate: boolean): Promise<MasterKeys> =>
    readMasterKeys({ configured: masterKey, configuredPrevious: masterKeyPrevious, file, mayCreate });
  const sealed = peekDataKey(dataDir, "hub");
  if (sealed !== null) assertMasterKey(await read(false), sealed);
  return { file: masterKey === null ? file : null, read };
}
