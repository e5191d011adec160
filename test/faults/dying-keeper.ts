/** Does what C13 kills, one thing after the other and again and again, until it is killed. Says each thing it begins. */
import { join } from "node:path";
import { systemClock } from "../../hub/core/clock.ts";
import { backupNow, listBackups, restoreBackup, rotateMasterKey } from "../../hub/safekeeping/data-folder.ts";
import { createLogins } from "../../hub/sessions/logins.ts";
import { readMasterKeys } from "../../hub/sessions/master-key.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import { openStore } from "../../hub/store/open-store.ts";

const [dataDir = ""] = process.argv.slice(2);
const nothing = (): void => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const folder = {
  dataDir,
  masterKey: null,
  masterKeyPrevious: null,
  masterKeyFile: null,
  jidForm: "c.us",
} as const;

/** Out of use and back. */
async function thereAndBack(): Promise<void> {
  const store = await openStore({ dataDir, publicUrl: "http://hub.example", clock: systemClock, log });
  const keys = await readMasterKeys({
    configured: null,
    file: join(dataDir, "master.key"),
    mayCreate: false,
  });
  const vault = await createVault({ ...keys, keys: store.vault });
  const dir = join(dataDir, "vault");
  const logins = createLogins({ auth: store.auth, keys: store.vault, vault, dir, clock: systemClock });
  const away = await logins.quarantine("s1", "test", { isUndoable: true });
  const { id } = await logins.toBringBack("s1", away?.quarantineId ?? null);
  await logins.bringBack("s1", id);
  await store.close();
}

const ACTS: Record<string, () => Promise<unknown>> = {
  backup: () => backupNow(folder, log),
  quarantine: thereAndBack,
  rotation: () => rotateMasterKey(folder, log),
  restore: async () => {
    const [newest] = await listBackups(folder);
    if (newest !== undefined) await restoreBackup(folder, { backup: newest.name }, log);
  },
};

for (;;)
  for (const [name, act] of Object.entries(ACTS)) {
    process.stdout.write(`${name}\n`);
    await act();
  }
