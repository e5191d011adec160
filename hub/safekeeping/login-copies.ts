/**
 * Puts the login of one session back from a copy, while all else stays as it is: from a snapshot, which is made before a login is
 * put away, or from a backup of the whole. A login moves on with every message: one that was used since the copy was made is
 * taken only by somebody who knows that, and goes on with new keys.
 */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { systemClock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { LoginAge, Store, VaultStore } from "../core/store.ts";
import { LoginDamaged } from "../core/whatsapp.ts";
import {
  backupFile,
  keysForCopies,
  listBackups,
  withStore,
  type Folder,
  type NamedBackup,
} from "./data-folder.ts";
import { ageOf, createLogins, isDamageReason } from "../sessions/logins.ts";
import { REASONS } from "../sessions/reasons.ts";
import { createSnapshots, snapshotsOf, type Snapshot } from "../sessions/snapshots.ts";
import { createVault, openFileKey, type Vault } from "../sessions/vault.ts";
import { readHead } from "../store/backups/container.ts";
import { inScratch } from "../store/backups/scratch.ts";
import { unpackWhole } from "../store/backups/unpack-whole.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { isPaired, loadCreds } from "../whatsapp/auth-state.ts";
import { looseLogin, openRows, sealLogin, type LooseLogin } from "../whatsapp/loose-login.ts";

const SNAPSHOT_FOLDER = "vault";

export interface LoginCopy {
  name: string;
  kind: "snapshot" | "backup";
  at: Date;
}

/** The copies there are of a session's login, newest first. Also while a hub runs on the folder. */
export async function listLoginCopies(
  folder: Pick<Folder, "dataDir">,
  sessionId: string,
): Promise<LoginCopy[]> {
  const snapshots = await snapshotsOf(join(folder.dataDir, SNAPSHOT_FOLDER), sessionId);
  const backups = (await listBackups(folder)).filter(({ watermark }) =>
    watermark.logins.some((login) => login.sessionId === sessionId && login.fingerprint !== null),
  );
  return [
    ...snapshots.map(({ name, at }) => ({ name, kind: "snapshot" as const, at })),
    ...backups.map(({ name, at }) => ({ name, kind: "backup" as const, at: new Date(at) })),
  ].sort((one, other) => other.at.getTime() - one.at.getTime());
}

export interface PutBack {
  copy: LoginCopy;
  /** It was used since the copy was made. */
  isStale: boolean;
  keys: number;
  /** How many keys of each kind could not be opened, and were left out. */
  unreadable: Record<string, number>;
}

/** The copy may be older than what was used since; `acceptsOlder` takes it all the same. */
export class OlderCopy extends Error {
  readonly copy: LoginCopy;

  constructor(copy: LoginCopy) {
    super(`The login in ${copy.name} may have been used since the copy was made.`);
    this.copy = copy;
  }
}

/**
 * @throws OlderCopy, or Error in plain words while a hub runs on the folder, or when the copy cannot be used: then nothing was
 * changed
 */
export async function putLoginBack(
  folder: Folder,
  { sessionId, acceptsOlder, ...named }: NamedBackup & { sessionId: string; acceptsOlder: boolean },
  log: Log,
): Promise<PutBack> {
  const keys = await keysForCopies(folder, named.olderKey);
  return withStore(folder, log, async ({ store, vault }) => {
    const session = await store.sessions.get(sessionId);
    if (session === null) throw new Error(`There is no session "${sessionId}".`);
    const { copy, snapshot } = await readCopy(folder, { sessionId, name: named.backup, vault, keys });
    const { login, unreadable } = await openLogin(snapshot, { copy, keys });
    const place = { sessionId, store, vault, snapshots: snapshotsIn(folder, vault) };
    await assertUsable(login, copy, place);
    const isStale = await wasUsedSince(login, snapshot.age, place);
    if (isStale && !acceptsOlder) throw new OlderCopy(copy);
    const logins = createLogins({
      auth: store.auth,
      keys: store.vault,
      vault,
      dir: join(folder.dataDir, SNAPSHOT_FOLDER),
      clock: systemClock,
    });
    const { phoneNumber, lid, pushName } = login;
    const reason = { ...(isStale ? REASONS.rolledBack : REASONS.loginPutBack), at: systemClock.now() };
    await logins.putBack(
      { ...session, phoneNumber, lid, pushName, state: isStale ? "rolled_back" : "stopped", reason },
      (cipher) => sealLogin(login, cipher),
      { isStale },
    );
    return { copy, isStale, keys: login.keys.length, unreadable };
  });
}

const snapshotsIn = ({ dataDir }: Folder, vault: Vault) => {
  const dir = join(dataDir, SNAPSHOT_FOLDER);
  const { read } = createSnapshots({ dir, cipher: () => vault.cipher("hub") });
  return { read, of: (sessionId: string) => snapshotsOf(dir, sessionId) };
};

/** Where a login is to go. */
interface Place {
  sessionId: string;
  store: Store;
  vault: Vault;
  snapshots: ReturnType<typeof snapshotsIn>;
}

type Keys = Awaited<ReturnType<typeof keysForCopies>>;

interface ReadCopy {
  copy: LoginCopy;
  snapshot: Snapshot;
}

/** @throws Error in plain words when there is no such copy, or nothing of this session in it */
async function readCopy(
  folder: Folder,
  { sessionId, name, vault, keys }: { sessionId: string; name: string; vault: Vault; keys: Keys },
): Promise<ReadCopy> {
  const snapshots = snapshotsIn(folder, vault);
  const kept = (await snapshots.of(sessionId)).find((each) => each.name === basename(name));
  if (kept !== undefined)
    return { copy: { ...kept, kind: "snapshot" }, snapshot: await snapshots.read(kept.name) };
  const file = backupFile(folder, name);
  if (!existsSync(file)) throw new Error(`There is no copy ${name} of the login of "${sessionId}".`);
  return readBackup(file, { dataDir: folder.dataDir, sessionId, keys });
}

async function readBackup(
  file: string,
  { dataDir, sessionId, keys }: { dataDir: string; sessionId: string; keys: Keys },
): Promise<ReadCopy> {
  const head = await readHead(file);
  const masterKeys = [keys.masterKey, ...keys.previous];
  return inScratch({ dataDir, neededBytes: 2 * head.bytes }, async (scratch) => {
    const plain = join(scratch, "hub.db");
    await unpackWhole(file, plain, (place, wrapped) => openFileKey(masterKeys, place, wrapped));
    const store = await openSqliteStore({ file: plain, publicUrl: "http://localhost", clock: systemClock });
    try {
      const isThere = (await store.sessions.get(sessionId)) !== null;
      const login = isThere ? await store.auth.loginRows(sessionId) : null;
      if (login === null) throw new Error(`There is no login of "${sessionId}" in ${head.name}.`);
      const names = await store.vault.scopes();
      const dataKeys = await Promise.all(
        names.map(async (name) => ({ name, wrapped: await store.vault.dataKey(name) })),
      );
      const facts = await store.auth.login(sessionId);
      const { fingerprint } = facts;
      const copy = { name: head.name, kind: "backup", at: new Date(head.at) } as const;
      return { copy, snapshot: { sessionId, login, dataKeys, fingerprint, age: ageOf(facts) } };
    } finally {
      await store.close();
    }
  });
}

/** With the data keys of that time, which the copy brings along. */
async function openLogin(
  { sessionId, login, dataKeys }: Snapshot,
  { copy, keys }: { copy: LoginCopy; keys: Keys },
): Promise<{ login: LooseLogin; unreadable: Record<string, number> }> {
  const then = await createVault({ ...keys, keys: inMemory(dataKeys) });
  const opened = openRows(login, await then.cipher(`session:${sessionId}`));
  const loose = opened === null ? null : looseLogin(opened.creds, opened.keys);
  if (opened === null || loose === null)
    throw new Error(
      `The login in ${copy.name} cannot be used: it was damaged, or not linked, when the copy was made. Take an older copy.`,
    );
  return { login: loose, unreadable: opened.unreadable };
}

function inMemory(dataKeys: Snapshot["dataKeys"]): VaultStore {
  const rows = new Map(dataKeys.flatMap(({ name, wrapped }) => (wrapped === null ? [] : [[name, wrapped]])));
  return {
    scopes: () => Promise.resolve([...rows.keys()]),
    dataKey: (scope) => Promise.resolve(rows.get(scope) ?? null),
    saveDataKey: (scope, wrapped) => Promise.resolve(void rows.set(scope, wrapped)),
  };
}

/** Another number was linked since, or WhatsApp no longer knows this login: putting it back would help nobody. */
async function assertUsable(
  { fingerprint }: LooseLogin,
  copy: LoginCopy,
  { sessionId, store, vault }: Place,
): Promise<void> {
  const now = await store.auth.login(sessionId);
  if (now.fingerprint !== fingerprint && (await isLinked({ sessionId, store, vault })))
    throw new Error(
      `"${sessionId}" was linked anew since ${copy.name} was made, and has another login. To give that one up, put it into ` +
        'quarantine first: POST /api/sessions/{id}/force-cleanup with {"mode":"quarantine"}.',
    );
  const ended = (await store.auth.quarantined(sessionId)).find(
    ({ at, undoUntil, reason }) => undoUntil === null && at >= copy.at && !isDamageReason(reason),
  );
  if (ended !== undefined)
    throw new Error(
      `The login was ended for good on ${ended.at.toISOString()} (${ended.reason}), after ${copy.name} was made: WhatsApp no ` +
        "longer takes it. Connect the session and scan a fresh QR code.",
    );
}

/** A code that was shown and never scanned leaves credentials of no account. */
async function isLinked({ sessionId, store, vault }: Omit<Place, "snapshots">): Promise<boolean> {
  const cipher = () => vault.cipher(`session:${sessionId}`);
  const creds = await loadCreds({ sessionId, auth: store.auth, cipher }).catch((cause: unknown) => {
    if (cause instanceof LoginDamaged) return null;
    throw cause;
  });
  return creds !== null && isPaired(creds);
}

/**
 * Each step of the ratchet makes the version of the keys grow, and only being put away or put back makes the generation grow with
 * it: as long as they grow alike, nothing was used.
 */
async function wasUsedSince(login: LooseLogin, age: LoginAge | null, place: Place): Promise<boolean> {
  const last = await lastAge(login, place);
  return (
    age === null ||
    last?.epoch !== age.epoch ||
    last.keyVersion - last.generation !== age.keyVersion - age.generation
  );
}

/** How far it had got when it was last in its place: now, or when a snapshot was made because it was put away. */
async function lastAge(
  { fingerprint }: LooseLogin,
  { sessionId, store, snapshots }: Place,
): Promise<LoginAge | null> {
  const now = await store.auth.login(sessionId);
  if (now.fingerprint === fingerprint) return ageOf(now);
  for (const { name } of await snapshots.of(sessionId)) {
    // One that cannot be read, or does not say whose it is, may be the one that counts.
    const snapshot = await snapshots.read(name).catch(() => null);
    if (snapshot === null || snapshot.fingerprint === null) return null;
    if (snapshot.fingerprint === fingerprint) return snapshot.age;
  }
  return null;
}
