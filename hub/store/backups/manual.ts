/**
 * Copies that somebody made by hand, into the audit log. The command that makes one beside a running hub must not write into
 * that hub's database: whoever has the database open next finds the file.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { doneBy } from "../../core/audit.ts";
import { MANUAL_BACKUP_MARK, SAFEKEEPING_MARKS } from "../../core/safekeeping-marks.ts";
import type { Store } from "../../core/store.ts";
import { BACKUP_FOLDER, backupName } from "./backups.ts";
import { readHead } from "./container.ts";

/** So far back they are looked for; the mark of the newest that is entered is kept longer. */
const BACK_MS = 30 * 86_400_000;

export async function enterManualBackups({
  dataDir,
  audit,
  marks,
  now,
}: Pick<Store, "audit" | "marks"> & { dataDir: string; now: Date }): Promise<void> {
  const seen = (await marks.get(MANUAL_BACKUP_MARK))?.getTime() ?? 0;
  const since = new Date(Math.max(seen, now.getTime() - BACK_MS));
  const { done } = SAFEKEEPING_MARKS.backup;
  for (const { name, at, bytes } of await madeSince(dataDir, since)) {
    const madeAt = new Date(at);
    await audit.append(doneBy("operator", "backup.made", madeAt, { target: name, details: { bytes } }));
    await marks.set(MANUAL_BACKUP_MARK, madeAt);
    const last = await marks.get(done);
    if (last === null || last < madeAt) await marks.set(done, madeAt);
  }
}

/** Oldest first. Names say when and of which kind: heads are read of the new ones alone. */
async function madeSince(dataDir: string, since: Date) {
  const dir = join(dataDir, BACKUP_FOLDER);
  const after = backupName("manual", since);
  const [kind = ""] = after.match(/-manual.*$/) ?? [];
  const names = (await readdir(dir).catch(() => [])).filter((name) => name.endsWith(kind) && name > after);
  const heads = await Promise.all(
    names.sort().map((name) => readHead(join(dir, name)).catch(() => null)), // of no use as a backup either
  );
  return heads.filter((head) => head !== null);
}
