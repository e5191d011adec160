/**
 * What an operator does with a hub's data folder: copies, the master key, logins from and for other programs. A second place
 * beside `hub.ts` where parts meet; nothing of it needs a running hub, and what must not meet one refuses to.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Config } from "../config.ts";
import { sessionIdSchema } from "../contract/resources.ts";
import { systemClock } from "../core/clock.ts";
import { syncFolder } from "../core/durable-file.ts";
import type { Log } from "../core/log.ts";
import { defaultSettings, newSession, type SessionReason } from "../core/session.ts";
import type { Store } from "../core/store.ts";
import {
  adoptNextKey,
  formerKeys,
  layNextKey,
  parseMasterKey,
  readMasterKeys,
} from "../sessions/master-key.ts";
import { createVault, openFileKey, type Rotation, type Vault } from "../sessions/vault.ts";
import { BACKUP_FOLDER, createBackups, listBackups as listOf } from "../store/backups/backups.ts";
import type { BackupHead } from "../store/backups/container.ts";
import { restoreBackup as restore, type Restored } from "../store/backups/restore.ts";
import { openStore } from "../store/open-store.ts";
import { FolderInUse } from "../store/sqlite/lock.ts";
import { openReader } from "../store/sqlite/reader.ts";
import { writeWatermark } from "../store/watermark.ts";
import { sealLogin } from "../whatsapp/loose-login.ts";
import { CREDS_FILE, readMultiFile, writeMultiFile, type WrittenLogin } from "../whatsapp/multi-file.ts";

export type Folder = Pick<
  Config,
  "dataDir" | "masterKey" | "masterKeyPrevious" | "masterKeyFile" | "jidForm"
>;

const keyFileOf = ({ masterKeyFile, dataDir }: Folder): string =>
  masterKeyFile ?? join(dataDir, "master.key");

const keysOf = (folder: Folder) =>
  readMasterKeys({
    configured: folder.masterKey,
    configuredPrevious: folder.masterKeyPrevious,
    file: keyFileOf(folder),
    mayCreate: false,
  });

/** A backup as an operator names it: by its name in the list, or by the path of a file. */
export interface NamedBackup {
  backup: string;
  /** A master key from the time of the backup, if it is not among the hub's own any more. */
  olderKey?: string;
}

export function backupFile({ dataDir }: Pick<Folder, "dataDir">, backup: string): string {
  const named = join(dataDir, BACKUP_FOLDER, backup);
  return existsSync(named) ? named : backup;
}

/** The master key, and all others with which a copy may have been sealed. */
export async function keysForCopies(
  folder: Folder,
  olderKey: string | undefined,
): Promise<{ masterKey: Uint8Array; previous: Uint8Array[] }> {
  const { masterKey, previous } = await keysOf(folder);
  const given = olderKey === undefined ? [] : [parseMasterKey(olderKey)];
  const former = folder.masterKey === null ? await formerKeys(keyFileOf(folder)) : [];
  return { masterKey, previous: [...previous, ...given, ...former] };
}

/** Also while a hub runs on the folder. @throws Error in plain words */
export async function backupNow(folder: Folder, log: Log): Promise<BackupHead> {
  const { dataDir } = folder;
  const reader = openReader(join(dataDir, "hub.db"));
  try {
    const keys = await keysOf(folder);
    const vault = await createVault({ ...keys, keys: reader.vault });
    const parts = {
      dataDir,
      store: reader,
      keyForFile: vault.forFile,
      openFileKey: vault.openFile,
      clock: systemClock,
      log,
    };
    return await createBackups(parts).now("manual");
  } finally {
    reader.close();
  }
}

/** Newest first. */
export const listBackups = ({ dataDir }: Pick<Folder, "dataDir">): Promise<BackupHead[]> => listOf(dataDir);

/**
 * Puts a backup in the database's place; the database from before is kept beside it.
 * @throws Error in plain words while a hub runs on the folder, or when the backup cannot be used: then nothing was changed
 */
export async function restoreBackup(
  folder: Folder,
  { backup, olderKey }: NamedBackup,
  log: Log,
): Promise<Restored> {
  const { masterKey, previous } = await keysForCopies(folder, olderKey);
  return restore({
    dataDir: folder.dataDir,
    file: backupFile(folder, backup),
    openFileKey: (place, wrapped) => openFileKey([masterKey, ...previous], place, wrapped),
    prepare: async (keys) => {
      const vault = await createVault({ masterKey, previous, keys });
      await vault.finishRotation();
    },
    clock: systemClock,
    log,
  });
}

/** The store of a folder on which no hub runs, and what opens its secrets. */
export async function withStore<T>(
  folder: Folder,
  log: Log,
  work: (opened: { store: Store; vault: Vault }) => Promise<T>,
): Promise<T> {
  const clock = systemClock;
  const store = await openStore({ dataDir: folder.dataDir, publicUrl: "http://localhost", clock, log });
  try {
    const vault = await createVault({ ...(await keysOf(folder)), keys: store.vault });
    const result = await work({ store, vault });
    await writeWatermark(folder.dataDir, { ...(await store.watermark()), isLast: true });
    return result;
  } finally {
    await store.close();
  }
}

export interface Imported {
  /** Name of the folder that was read. */
  from: string;
  sessionId: string;
  /** Null when it was imported; else why not, in plain words. */
  refused: string | null;
  keys: number;
  /** Files that held no key that could be read. */
  unreadable: number;
}

/**
 * Takes logins of another program over: `from` is the folder of one login, or a folder of such folders, whose names become
 * the names of sessions. The other program must be stopped, and stay so: a login that is used twice is thrown out. Imported
 * sessions are stopped until somebody connects them; with `connect`, the next start of the hub does.
 * @throws Error in plain words while a hub runs on the folder, or when there is nothing to import
 */
export async function importLogins(
  folder: Folder,
  { from, sessionId, connect = false }: { from: string; sessionId?: string; connect?: boolean },
  log: Log,
): Promise<Imported[]> {
  const isOne = existsSync(join(from, CREDS_FILE));
  const folders = isOne ? [from] : await loginFoldersIn(from);
  if (folders.length === 0) throw new Error(`There is no ${CREDS_FILE} in ${from}, nor in a folder of it.`);
  return withStore(folder, log, async (opened) => {
    const results: Imported[] = [];
    for (const each of folders) {
      const name = isOne && sessionId !== undefined ? sessionId : sessionNameOf(each);
      results.push(await importOne(each, { sessionId: name, connect, jidForm: folder.jidForm }, opened));
    }
    return results;
  });
}

async function importOne(
  from: string,
  { sessionId, connect, jidForm }: { sessionId: string; connect: boolean; jidForm: Config["jidForm"] },
  { store, vault }: { store: Store; vault: Vault },
): Promise<Imported> {
  const imported: Imported = { from: basename(from), sessionId, refused: null, keys: 0, unreadable: 0 };
  try {
    const named = sessionIdSchema.safeParse(sessionId);
    if (!named.success) throw new Error(`"${sessionId}" cannot be the name of a session.`);
    const login = await readMultiFile(from);
    const { phoneNumber, lid, pushName, keys, unreadable } = login;
    const now = systemClock.now();
    const rows = sealLogin(login, await vault.cipher(`session:${sessionId}`));
    const settings = defaultSettings(jidForm);
    const state = connect ? "reconnecting" : "stopped";
    const session = {
      ...newSession({ sessionId, settings, now }),
      state,
      phoneNumber,
      lid,
      pushName,
    } as const;
    await store.auth.install(session, rows);
    return { ...imported, keys: keys.length, unreadable: unreadable.length };
  } catch (cause) {
    return { ...imported, refused: cause instanceof Error ? cause.message : String(cause) };
  }
}

async function loginFoldersIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, CREDS_FILE)))
    .map(({ name }) => join(root, name))
    .sort();
}

/** What may stand in the name of a session; a name of digits only would be taken for a number. */
function sessionNameOf(folder: string): string {
  const name = basename(folder).replace(/[^a-zA-Z0-9_-]/g, "_");
  return /^\d+$/.test(name) ? `s${name}` : name;
}

/**
 * Writes the login of a session into a new folder, as other programs read it; keys that are damaged are left out and counted.
 * From then on it belongs to them: the session here is stopped, and would go on with new keys.
 * @throws Error in plain words while a hub runs on the folder, or when there is no login that could be used: nothing was changed
 */
export async function exportLogin(
  folder: Folder,
  { sessionId, to }: { sessionId: string; to: string },
  log: Log,
): Promise<WrittenLogin> {
  if (existsSync(to)) throw new Error(`${to} is there already; name a folder that is to be made.`);
  return withStore(folder, log, async ({ store, vault }) => {
    const session = await store.sessions.get(sessionId);
    const rows = session === null ? null : await store.auth.loginRows(sessionId);
    if (session === null || rows === null) throw new Error(`There is no login in a session "${sessionId}".`);
    const half = `${to}.half`;
    await rm(half, { recursive: true, force: true });
    await mkdir(half, { recursive: true, mode: 0o700 });
    try {
      const written = await writeMultiFile(half, rows, await vault.cipher(`session:${sessionId}`));
      await syncFolder(half);
      // Before anybody can use it there: the same keys in two places would be used twice.
      await store.auth.markStale(sessionId);
      await store.sessions.save({ ...session, state: "stopped", reason: exported() }, []);
      await rename(half, to);
      await syncFolder(dirname(to));
      return written;
    } finally {
      // Broken off: keys that lie open where nobody looks for them are worse than none.
      await rm(half, { recursive: true, force: true });
    }
  });
}

const exported = (): SessionReason => ({
  code: "exported",
  text: "The login was exported for another program.",
  blame: "user",
  advice: "Stop the other program before you connect here again.",
  at: systemClock.now(),
});

/**
 * Lays a new master key down. Without a hub on the folder everything is sealed anew at once; a running one does it by itself
 * within half a minute (then null). @throws Error in plain words when the key is configured: then it changes at a start
 */
export async function rotateMasterKey(folder: Folder, log: Log): Promise<Rotation | null> {
  if (folder.masterKey !== null)
    throw new Error(
      "The master key comes from HUB_MASTER_KEY: start the hub with the new key there and the old one in HUB_MASTER_KEY_PREVIOUS.",
    );
  const file = keyFileOf(folder);
  await keysOf(folder);
  await layNextKey(file);
  const store = await openStore({
    dataDir: folder.dataDir,
    publicUrl: "http://localhost",
    clock: systemClock,
    log,
  }).catch((cause: unknown) => {
    if (cause instanceof FolderInUse) return null;
    throw cause;
  });
  if (store === null) return null;
  try {
    const vault = await createVault({ ...(await keysOf(folder)), keys: store.vault });
    const rotation = await vault.finishRotation();
    await adoptNextKey(file, systemClock.now());
    return rotation;
  } finally {
    await store.close();
  }
}
