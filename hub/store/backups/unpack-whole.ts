/** A backup opened and looked over: what a restore and a trial of one begin with. */
import { checkCopy } from "../sqlite/check-copy.ts";
import { migrations } from "../sqlite/migrations/index.ts";
import { unpackContainer, type BackupHead, type OpenFileKey } from "./container.ts";

/** Leaves a database at `plainFile` that this hub can work with. @throws Error in plain words when the backup is no use */
export async function unpackWhole(
  file: string,
  plainFile: string,
  openFileKey: OpenFileKey,
): Promise<{ backup: BackupHead; schema: number }> {
  const backup = await unpackContainer(file, plainFile, openFileKey);
  const schema = await checkCopy(plainFile);
  if (schema > migrations.length)
    throw new Error(
      `The backup was made by a newer Inbox Hub (schema ${schema}, this one knows ${migrations.length}): update the hub first.`,
    );
  return { backup, schema };
}
