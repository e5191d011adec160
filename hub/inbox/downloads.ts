/** Fetches the bytes of received media from WhatsApp when somebody asks: one download per file, however many ask. */
import { addAbortSignal, type Readable } from "node:stream";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Message } from "../core/message.ts";
import type { MediaItem, MediaStore } from "../core/store.ts";
import type { WhatsAppLink } from "../core/whatsapp.ts";
import type { MediaFiles, WrittenFile } from "./media-files.ts";
import { tooBig } from "./media-source.ts";

export interface DownloadParts {
  media: Pick<MediaStore, "get" | "messageOf" | "saveState">;
  files: MediaFiles;
  link: (sessionId: string) => WhatsAppLink;
  /** Bigger announcements are refused, longer answers cut. */
  capBytes: number;
  /** Whoever asks during the download is held this long at most; the download itself goes on. */
  holdMs: number;
  /** A download that takes longer is given up, so that the next one can try. */
  deadlineMs: number;
  /** Throws OVERLOADED while the disk has no room for files. */
  refuseWhenFull: () => Promise<void>;
  log: Log;
  clock: Clock;
}

export interface Downloads {
  /** Resolves when the bytes are on disk. */
  fetch(item: MediaItem): Promise<void>;
  idle(): Promise<void>;
}

const gone = (): HubError => new HubError("MEDIA_NOT_FOUND", "The file is not available any more.");

export function createDownloads(parts: DownloadParts): Downloads {
  const { media, files, link, capBytes, holdMs, deadlineMs, log, clock } = parts;
  const running = new Map<string, Promise<void>>();

  const download = async (item: MediaItem): Promise<void> => {
    const message = await media.messageOf(item.mediaId);
    // Numbers of messages are given again: a row that is left over must not lead to somebody else's file.
    if (message?.media == null || message.media.mediaId !== item.mediaId) throw gone();
    if (message.media.filesize > capBytes) throw tooBig(capBytes);
    await parts.refuseWhenFull();
    const startedAt = clock.now().getTime();
    try {
      const signal = AbortSignal.timeout(deadlineMs);
      const bytes = await unlessAborted(link(message.sessionId).downloadMedia(message), signal);
      addAbortSignal(signal, bytes);
      const { size, sha256 } = await files.write(item.mediaId, bytes, {
        capBytes,
        tooBig: () => tooBig(capBytes),
        verify: (written) => refuseDamaged(written, message),
      });
      await media.saveState(item.mediaId, { state: "stored", filesize: size, sha256 });
      // Its message may have gone for its age meanwhile.
      if ((await media.get(item.mediaId)) === null) await files.remove(item.mediaId);
      log.info(
        { sessionId: message.sessionId, mediaId: item.mediaId, size, ms: clock.now().getTime() - startedAt },
        "media.downloaded",
      );
    } catch (error) {
      if (error instanceof HubError && error.code === "MEDIA_NOT_FOUND")
        await media.saveState(item.mediaId, { state: "gone" });
      throw isAbort(error) ? tooSlow(error) : error;
    }
  };

  const once = (item: MediaItem): Promise<void> => {
    const known = running.get(item.mediaId);
    if (known) return known;
    const started = download(item).finally(() => running.delete(item.mediaId));
    running.set(item.mediaId, started);
    return started;
  };

  return {
    fetch: (item) => held(once(item), holdMs),
    idle: async () => {
      while (running.size > 0) await Promise.allSettled(running.values());
    },
  };
}

function refuseDamaged({ sha256 }: WrittenFile, { media }: Message): void {
  const announced = media?.sha256 ?? null;
  if (announced === null || announced === sha256) return;
  throw new HubError("MEDIA_ERROR", "WhatsApp's copy of the file is damaged.");
}

const isAbort = (error: unknown): boolean =>
  error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError");

const tooSlow = (cause: unknown): HubError =>
  new HubError("MEDIA_ERROR", "The file did not arrive from WhatsApp in time.", { cause });

/** A call that cannot be cancelled: when it answers after all, nobody wants its stream any more. */
async function unlessAborted(opening: Promise<Readable>, signal: AbortSignal): Promise<Readable> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new DOMException("too slow", "TimeoutError")));
  });
  void opening.then(
    (bytes) => {
      if (signal.aborted) bytes.destroy();
    },
    () => undefined, // told below
  );
  return Promise.race([opening, aborted]);
}

async function held(done: Promise<void>, holdMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new HubError("OVERLOADED", "The file is still being fetched.", { retryAfterSeconds: 5 }));
    }, holdMs);
  });
  try {
    await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
