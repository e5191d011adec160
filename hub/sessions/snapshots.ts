/** Sealed copies of logins, made and read back before anything happens to the login itself. */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Cipher } from "../core/cipher.ts";
import { writeDurably } from "../core/durable-file.ts";
import type { LoginRows } from "../core/store.ts";

export interface Snapshots {
  /** Resolves when the copy is on disk and reads back as what was copied; otherwise nothing may be moved. */
  keep(sessionId: string, login: LoginRows, dataKeys: NamedKey[], now: Date): Promise<void>;
  /** Destroys those made before `before`. */
  forget(before: Date): Promise<void>;
}

/** What opens the rows of a login, sealed by the master key. */
export interface NamedKey {
  name: string;
  wrapped: Uint8Array | null;
}

const SUFFIX = ".snapshot";

export function createSnapshots({
  dir,
  cipher,
}: {
  dir: string;
  /** Not the session's own: that one may be what is lost. */
  cipher: () => Promise<Cipher>;
}): Snapshots {
  return {
    keep: async (sessionId, login, dataKeys, now) => {
      const name = `${sessionId}.${now.getTime()}${SUFFIX}`;
      const keys = dataKeys.map(({ name, wrapped }) => [name, text(wrapped)]);
      const plain = Buffer.from(JSON.stringify({ sessionId, ...written(login), dataKeys: keys }));
      const { seal, open } = await cipher();
      const file = path.join(dir, name);
      await writeDurably(file, seal(`snapshot|${name}`, plain));
      const back = open(`snapshot|${name}`, await readFile(file));
      if (!plain.equals(back)) throw new Error("the copy of the login does not read back as it was written");
    },
    forget: async (before) => {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      for (const name of await readdir(dir)) {
        const at = Number(new RegExp(`\\.(\\d+)${SUFFIX}(\\.new)?$`).exec(name)?.[1] ?? Infinity);
        if (at < before.getTime()) await rm(path.join(dir, name), { force: true });
      }
    },
  };
}

const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString("base64");

/** The rows as they lie there: sealed, readable or not. */
const written = ({ creds, keys }: LoginRows) => ({
  creds: text(creds),
  keys: keys.map(({ type, id, value }) => [type, id, text(value)]),
});
