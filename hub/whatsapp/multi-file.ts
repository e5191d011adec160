/**
 * Logins as other programs keep them: a folder with `creds.json` and one file for each key. Names of files are names of keys
 * with signs replaced that a file system may not take; they are turned back only where such a sign can have been.
 */
import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cipher } from "../core/cipher.ts";
import type { LoginRows } from "../core/store.ts";
import { credsOf, isPaired } from "./auth-state.ts";
import { BufferJSON, type AuthenticationCreds } from "./baileys.ts";
import { codecOf } from "./key-codec.ts";
import { looseLogin, openRows, type LooseKey, type LooseLogin } from "./loose-login.ts";

interface ReadLogin extends LooseLogin {
  /** Files that hold no key that could be read. */
  unreadable: string[];
}

export const CREDS_FILE = "creds.json";

/** Longer ones first: some begin as others do. */
const TYPES = [
  "app-state-sync-version",
  "app-state-sync-key",
  "sender-key-memory",
  "identity-key",
  "lid-mapping",
  "device-list",
  "sender-key",
  "pre-key",
  "session",
  "tctoken",
];

/** @throws Error in plain words when the folder holds no login that could be used */
export async function readMultiFile(folder: string): Promise<ReadLogin> {
  const creds = await readCreds(join(folder, CREDS_FILE));
  const keys: LooseKey[] = [];
  const unreadable: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (name === CREDS_FILE) continue;
    const key = keyOfFile(name);
    const value = key === null ? null : await readKey(join(folder, name), key.type);
    if (key === null || value === null) unreadable.push(name);
    else keys.push({ ...key, value });
  }
  const login = looseLogin(creds, keys);
  if (login === null)
    throw new Error(`${CREDS_FILE} belongs to no account: it was never linked, or only half-way.`);
  return { ...login, unreadable };
}

async function readCreds(file: string): Promise<AuthenticationCreds> {
  try {
    return credsOf(await readFile(file));
  } catch (cause) {
    throw new Error(`${CREDS_FILE} is missing, empty or damaged: there is no login to import.`, { cause });
  }
}

/** Null when it cannot be read, or is not what its name says. */
async function readKey(file: string, type: string): Promise<unknown> {
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"), BufferJSON.reviver);
    if (value === null) return null;
    codecOf(type).encode(codecOf(type).hold(value));
    return value;
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof TypeError) return null;
    throw cause;
  }
}

function keyOfFile(name: string): { type: string; id: string } | null {
  if (!name.endsWith(".json")) return null;
  const stem = name.slice(0, -".json".length);
  const type = TYPES.find((each) => stem.startsWith(`${each}-`));
  if (type === undefined) return null;
  const id = idOfFile(type, stem.slice(type.length + 1));
  return id === null || id === "" ? null : { type, id };
}

function idOfFile(type: string, written: string): string | null {
  if (type === "app-state-sync-key") return written.replaceAll("__", "/");
  if (type !== "sender-key") return written;
  // From the right: ids of groups may have hyphens of their own.
  const match = /^(.+)--(.+?)--(\d+)$/.exec(written);
  return match === null ? null : `${match[1]}::${match[2]}::${match[3]}`;
}

export interface WrittenLogin {
  keys: number;
  /** How many of each kind could not be opened, and were left out. */
  unreadable: Record<string, number>;
}

/**
 * Writes a stored login into an empty folder, complete on disk when it resolves. A key that is damaged is left out: whoever
 * uses the login makes it anew, where without credentials there is no login at all. @throws Error when those cannot be read
 */
export async function writeMultiFile(folder: string, rows: LoginRows, cipher: Cipher): Promise<WrittenLogin> {
  if (rows.creds === null) throw new Error("There is no login in this session.");
  const opened = openRows(rows, cipher);
  if (opened === null)
    throw new Error(
      "The credentials of this session cannot be opened: they are damaged, and without them there is no login to export. " +
        "Restore a backup from before, or link the number anew.",
    );
  const { creds, keys, unreadable } = opened;
  if (!isPaired(creds)) throw new Error("This session is not linked: there is no login to export.");
  const files = keys.filter(({ type }) => TYPES.includes(type)); // what else is kept there is our own
  for (const { type, id, value } of files)
    await writeFile(join(folder, `${fileOf(`${type}-${id}`)}.json`), value);
  // Last: without it the folder is no login.
  await writeFile(join(folder, CREDS_FILE), creds);
  return { keys: files.length, unreadable };
}

const fileOf = (name: string): string => name.replaceAll("/", "__").replaceAll(":", "-");

async function writeFile(file: string, value: unknown): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(JSON.stringify(value, BufferJSON.replacer));
    await handle.sync();
  } finally {
    await handle.close();
  }
}
