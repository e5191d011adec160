/** The keys of the bridge's own callers, as a Frappe site has them: `key:secret`. The first one is made when none is given. */
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";

/** `admin` may change things, `read` may look. */
export interface MethodKey {
  key: string;
  secret: string;
  role: "admin" | "read";
}

/** In the data folder: the key that was made because none was configured. */
export const METHOD_KEY_FILE = "method-key";

const METHOD_KEY = /^([A-Za-z0-9_-]{1,64}):([A-Za-z0-9_-]{16,140})(?::(admin|read))?$/;

/** `key:secret` or `key:secret:role`; null when it is neither. */
export function parseMethodKey(text: string): MethodKey | null {
  const [, key, secret, role] = METHOD_KEY.exec(text) ?? [];
  if (key === undefined || secret === undefined) return null;
  return { key, secret, role: role === "read" ? "read" : "admin" };
}

/**
 * The key kept in `file`, made when there is none yet; `isNew` says that it must be shown now.
 * @throws Error when the file holds something else: a key that is silently replaced would lock its callers out
 */
export async function ensureMethodKey(file: string): Promise<{ key: MethodKey; isNew: boolean }> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const made = `admin:${randomBytes(24).toString("base64url")}`;
  const isNew = await writeOnce(file, `${made}\n`);
  const key = parseMethodKey(isNew ? made : (await readFile(file, "utf8")).trim());
  if (key === null)
    throw new Error(`${file} holds no key of the form key:secret; correct it, or move it away.`);
  return { key, isNew };
}

/** False when the file is already there. It is never readable by others, not for a moment. */
async function writeOnce(file: string, text: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx", 0o600);
    await handle.writeFile(text);
    await handle.sync();
    await handle.close();
    return true;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") return false;
    throw cause;
  }
}
