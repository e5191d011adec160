/** The bytes of files whose messages went. Their rows are gone already: what a kill leaves behind is removed another time. */
import type { Log } from "../core/log.ts";
import type { MediaStore } from "../core/store.ts";

const BATCH = 200;

export interface LeftFilesParts {
  media: Pick<MediaStore, "left" | "cleared">;
  /** Removes the bytes of a file; nothing happens when there are none. */
  removeFile: (mediaId: string) => Promise<void>;
  log: Log;
  /** True: the hub ends, and what is left is done at another time. */
  isStopped: () => boolean;
}

export async function removeLeftFiles({ media, removeFile, log, isStopped }: LeftFilesParts): Promise<void> {
  for (let after = ""; !isStopped();) {
    const mediaIds = await media.left(after, BATCH);
    const last = mediaIds.at(-1);
    if (last === undefined) return;
    after = last;
    const gone: string[] = [];
    for (const mediaId of mediaIds)
      try {
        await removeFile(mediaId);
        gone.push(mediaId);
      } catch (err) {
        log.warn({ mediaId, err }, "media.not_removed");
      }
    await media.cleared(gone);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
