/**
 * Tries a backup out, as the hub does each month, and further: what a restore would put in place is opened by a store of its own,
 * and its logins are opened with the keys. Nothing of the hub is written to, whether it runs or not; a note says how it went.
 */
import { join } from "node:path";
import { systemClock } from "../core/clock.ts";
import type { Store } from "../core/store.ts";
import { LoginDamaged } from "../core/whatsapp.ts";
import { backupFile, keysForCopies, listBackups, type Folder, type NamedBackup } from "./data-folder.ts";
import { noteDrill } from "./drill-by-hand.ts";
import { createVault, openFileKey, type Vault } from "../sessions/vault.ts";
import { readHead, type BackupHead } from "../store/backups/container.ts";
import { inScratch } from "../store/backups/scratch.ts";
import { unpackWhole } from "../store/backups/unpack-whole.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { loadCreds } from "../whatsapp/auth-state.ts";

export interface DrillStep {
  step: "opened" | "database" | "content" | "logins" | "audit log";
  ok: boolean;
  detail: string;
}

export interface Drilled {
  backup: BackupHead;
  steps: DrillStep[];
  ms: number;
}

/** The newest backup, or the one that is named. @throws Error in plain words when there is none, or no room to try it out */
export async function drillBackup(folder: Folder, named: Partial<NamedBackup>): Promise<Drilled> {
  const { dataDir } = folder;
  const [newest] = await listBackups(folder);
  const file = fileOf(folder, named.backup ?? newest?.name);
  const keys = await keysForCopies(folder, named.olderKey);
  const backup = await readHead(file);
  const at = systemClock.now();
  const since = performance.now();
  const steps: DrillStep[] = [];
  // Its form may be brought up to date on the way, which takes the room of a second copy.
  await inScratch({ dataDir, neededBytes: 2 * backup.bytes }, (scratch) =>
    tryOut(file, { plain: join(scratch, "hub.db"), keys, steps }),
  );
  // An older one says nothing of what the hub makes now.
  if (newest !== undefined && file === backupFile(folder, newest.name))
    await noteDrill(dataDir, { at, backup: backup.name, ok: steps.every(({ ok }) => ok) });
  return { backup, steps, ms: Math.round(performance.now() - since) };
}

function fileOf(folder: Folder, backup: string | undefined): string {
  if (backup === undefined) throw new Error("There is no backup yet: npm run hub -- backup makes one.");
  return backupFile(folder, backup);
}

type Keys = Awaited<ReturnType<typeof keysForCopies>>;

async function tryOut(
  file: string,
  { plain, keys, steps }: { plain: string; keys: Keys; steps: DrillStep[] },
): Promise<void> {
  try {
    const { schema } = await unpackWhole(file, plain, (place, wrapped) =>
      openFileKey([keys.masterKey, ...keys.previous], place, wrapped),
    );
    steps.push(
      { step: "opened", ok: true, detail: "with the master key, to its last piece" },
      { step: "database", ok: true, detail: `without damage, schema ${schema}` },
    );
  } catch (cause) {
    steps.push({ step: "opened", ok: false, detail: cause instanceof Error ? cause.message : String(cause) });
    return;
  }
  const store = await openSqliteStore({ file: plain, publicUrl: "http://localhost", clock: systemClock });
  try {
    steps.push(await content(store), await logins(store, keys), await auditLog(store));
  } finally {
    await store.close();
  }
}

async function content(store: Store): Promise<DrillStep> {
  let messages = 0;
  const sessions = await store.sessions.list();
  for (const { sessionId } of sessions)
    messages += (await store.inbox.messages({ sessionId, order: "desc", page: 1, limit: 1 })).total;
  return { step: "content", ok: true, detail: `${sessions.length} sessions, ${messages} messages` };
}

async function logins(store: Store, keys: Keys): Promise<DrillStep> {
  const vault = await createVault({ ...keys, keys: store.vault }).catch(() => null);
  if (vault === null)
    return { step: "logins", ok: false, detail: "the master key opens the backup, and not the keys inside" };
  const closed: string[] = [];
  let opened = 0;
  for (const { sessionId } of await store.sessions.list()) {
    const isOpen = await opens(sessionId, store, vault);
    if (isOpen) opened++;
    else if (isOpen === false) closed.push(sessionId);
  }
  return {
    step: "logins",
    ok: closed.length === 0,
    detail:
      closed.length === 0
        ? `${opened} of ${opened} can be opened`
        : `${opened} can be opened; not those of ${closed.join(", ")}`,
  };
}

/** Null when the session has no login. */
async function opens(sessionId: string, { auth }: Store, vault: Vault): Promise<boolean | null> {
  try {
    const cipher = () => vault.cipher(`session:${sessionId}`);
    return (await loadCreds({ sessionId, auth, cipher })) === null ? null : true;
  } catch (cause) {
    if (cause instanceof LoginDamaged) return false;
    throw cause;
  }
}

async function auditLog(store: Store): Promise<DrillStep> {
  const verdict = await store.audit.verify();
  return {
    step: "audit log",
    ok: verdict.intact,
    detail: verdict.intact ? `whole, ${verdict.rows} entries` : verdict.problem,
  };
}
