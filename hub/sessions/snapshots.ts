/** Sealed copies of logins, made and read back before anything happens to the login itself; one of them can be put back. */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import type { Cipher } from "../core/cipher.ts";
import { writeDurably } from "../core/durable-file.ts";
import type { LoginAge, LoginRows } from "../core/store.ts";

export interface Snapshot {
  sessionId: string;
  login: LoginRows;
  /** What opens its rows, sealed by a master key. */
  dataKeys: NamedKey[];
  /** Which login it is; null when nobody noted it. */
  fingerprint: string | null;
  /** Null where nobody knows what was used since, as in copies of earlier versions. */
  age: LoginAge | null;
}

export interface Snapshots {
  /** Resolves when the copy is on disk and reads back as what was copied; otherwise nothing may be moved. */
  keep(snapshot: Snapshot, now: Date): Promise<void>;
  /** By its name in the folder. @throws Error in plain words when it is damaged, or none of this hub */
  read(name: string): Promise<Snapshot>;
  /** Destroys those made before `before`; returns how many. */
  forget(before: Date): Promise<number>;
}

/** What opens the rows of a login, sealed by the master key. */
export interface NamedKey {
  name: string;
  wrapped: Uint8Array | null;
}

const SUFFIX = ".snapshot";

const base64 = z.base64().transform((text) => Buffer.from(text, "base64"));
const snapshotSchema = z.object({
  sessionId: z.string(),
  creds: base64.nullable(),
  keys: z.array(z.tuple([z.string(), z.string(), base64])),
  dataKeys: z.array(z.tuple([z.string(), base64.nullable()])),
  fingerprint: z.string().nullable().default(null),
  age: z.object({ epoch: z.int(), generation: z.int(), keyVersion: z.int() }).nullable().default(null),
});

export function createSnapshots({
  dir,
  cipher,
}: {
  dir: string;
  /** Not the session's own: that one may be what is lost. */
  cipher: () => Promise<Cipher>;
}): Snapshots {
  return {
    keep: async (snapshot, now) => {
      const name = `${snapshot.sessionId}.${now.getTime()}${SUFFIX}`;
      const plain = Buffer.from(JSON.stringify(written(snapshot)));
      const { seal, open } = await cipher();
      const file = path.join(dir, name);
      await writeDurably(file, seal(`snapshot|${name}`, plain));
      const back = open(`snapshot|${name}`, await readFile(file));
      if (!plain.equals(back)) throw new Error("the copy of the login does not read back as it was written");
    },
    read: async (name) => {
      const { open } = await cipher();
      const sealed = await readFile(path.join(dir, name));
      try {
        return readSnapshot(open(`snapshot|${name}`, sealed));
      } catch (cause) {
        throw new Error(`${name} is damaged, or was not made by this hub; take another copy.`, { cause });
      }
    },
    forget: async (before) => {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      let gone = 0;
      for (const name of await readdir(dir)) {
        const at = Number(new RegExp(`\\.(\\d+)${SUFFIX}(\\.new)?$`).exec(name)?.[1] ?? Infinity);
        if (at >= before.getTime()) continue;
        await rm(path.join(dir, name), { force: true });
        gone++;
      }
      return gone;
    },
  };
}

const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString("base64");

/** The rows as they lie there: sealed, readable or not. */
const written = ({ sessionId, login: { creds, keys }, dataKeys, ...facts }: Snapshot) => ({
  sessionId,
  creds: text(creds),
  keys: keys.map(({ type, id, value }) => [type, id, text(value)]),
  dataKeys: dataKeys.map(({ name, wrapped }) => [name, text(wrapped)]),
  ...facts,
});

function readSnapshot(plain: Uint8Array): Snapshot {
  const { creds, keys, dataKeys, ...facts } = snapshotSchema.parse(
    JSON.parse(Buffer.from(plain).toString("utf8")),
  );
  return {
    ...facts,
    login: { creds, keys: keys.map(([type, id, value]) => ({ type, id, value })) },
    dataKeys: dataKeys.map(([name, wrapped]) => ({ name, wrapped })),
  };
}

/** The copies of one session in this folder, newest first. Their contents need a key, their names none. */
export async function snapshotsOf(dir: string, sessionId: string): Promise<{ name: string; at: Date }[]> {
  const names = await readdir(dir).catch(() => []); // none was made yet
  const start = `${sessionId}.`;
  return names
    .filter((name) => name.startsWith(start) && name.endsWith(SUFFIX))
    .map((name) => ({ name, at: new Date(Number(name.slice(start.length, -SUFFIX.length))) }))
    .filter(({ at }) => !Number.isNaN(at.getTime()))
    .sort((one, other) => other.at.getTime() - one.at.getTime());
}
