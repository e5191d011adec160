/** Files that a lost power or a full disk leaves whole or not at all: written beside their place and forced to the disk first. */
import { open, readFile } from "node:fs/promises";

const OWNER_ONLY = 0o600;

export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** On the disk when it returns; never readable by others, not for a moment. */
export async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, "w", OWNER_ONLY);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A rename or a link is on the disk when its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
