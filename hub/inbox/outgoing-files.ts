/** Brings a file that is to be sent to our disk, wherever it comes from, and proves that it is what it is sent as. */
import { Readable } from "node:stream";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { MediaItem, MediaStore } from "../core/store.ts";
import { cleanFilename, withExtension } from "./file-name.ts";
import type { MediaFiles, WrittenFile } from "./media-files.ts";
import {
  CAP_BYTES,
  cleanMimetype,
  documentType,
  refuseOversize,
  sniff,
  typeAs,
  type ContentType,
  type MediaKind,
} from "./media-kind.ts";
import { fetchUrl, tooBig, type DownloadGuard } from "./media-source.ts";
import type { MediaSource } from "./send-request.ts";

/** A file on our disk, checked, ready to be sent. */
export interface PreparedFile {
  mediaId: string;
  mimetype: string;
  filename: string;
  size: number;
  sha256: string | null;
}

export interface WantedFile {
  sessionId: string;
  kind: MediaKind;
  /** What the caller calls it, if anything. */
  filename?: string | null;
  mimetype?: string | null;
}

export interface UploadedFile {
  filename: string | null;
  mimetype: string | null;
  /** Null: of no session yet, so that any may send it. */
  sessionId: string | null;
}

export interface OutgoingFiles {
  fromSource(source: MediaSource, want: WantedFile): Promise<PreparedFile>;
  upload(bytes: Readable, about: UploadedFile): Promise<MediaItem>;
}

export interface OutgoingFilesParts {
  media: Pick<MediaStore, "add">;
  files: MediaFiles;
  /** An item we have, its bytes on disk. */
  open: (mediaId: string) => Promise<{ item: MediaItem; size: number }>;
  /** Throws OVERLOADED while the disk has no room for files. */
  refuseWhenFull: () => Promise<void>;
  guard: DownloadGuard;
  clock: Clock;
  urlTimeoutMs: number;
}

interface Arrived {
  size: number;
  sha256: string | null;
  head: Uint8Array;
  filename: string | null;
  mimetype: string | null;
}

export function createOutgoingFiles(parts: OutgoingFilesParts): OutgoingFiles {
  const { media, files, open, refuseWhenFull, guard, clock, urlTimeoutMs } = parts;

  /** Bytes → a file under `mediaId`. */
  const bring = async (mediaId: string, source: MediaSource, want: WantedFile): Promise<Arrived> => {
    const capBytes = CAP_BYTES[want.kind];
    // The same bytes under a second name need no room.
    if (source.from !== "media") await refuseWhenFull();
    const rules = { capBytes, tooBig: () => tooBig(capBytes), verify: refuseEmpty };
    switch (source.from) {
      case "url":
        return fetchUrl(
          { url: source.url, guard, capBytes, timeoutMs: urlTimeoutMs },
          async ({ bytes, filename, mimetype }) => ({
            ...(await files.write(mediaId, bytes, rules)),
            filename,
            mimetype,
          }),
        );
      case "bytes": {
        const written = await files.write(mediaId, Readable.from([Buffer.from(source.bytes)]), rules);
        return { ...written, filename: null, mimetype: cleanMimetype(source.mimetype) };
      }
      case "media": {
        const { item, size } = await open(source.mediaId);
        if (item.sessionId !== null && item.sessionId !== want.sessionId) throw foreign();
        refuseOversize(want.kind, size);
        await files.duplicate(item.mediaId, mediaId);
        const { filename, mimetype, sha256 } = item;
        return { size, sha256, head: await files.head(mediaId), filename, mimetype };
      }
    }
  };

  /** A row for a file on disk. */
  const keep = async (item: Omit<MediaItem, "state" | "createdAt">): Promise<MediaItem> => {
    const kept: MediaItem = { ...item, state: "stored", createdAt: clock.now() };
    await media.add(kept);
    return kept;
  };

  /** Without its row a file belongs to nothing. */
  const orNothing = async <T>(mediaId: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      // A disk that refuses this as well has been told of already.
      await files.remove(mediaId).catch(() => undefined);
      throw error;
    }
  };

  const named = (written: string | null, fallback: string, { extension }: ContentType): string =>
    withExtension(cleanFilename(written, fallback), extension);

  return {
    fromSource: (source, want) => {
      const mediaId = newId("med", clock.now());
      return orNothing(mediaId, async () => {
        const arrived = await bring(mediaId, source, want);
        const written = want.filename ?? arrived.filename;
        const type = typeAs(want.kind, await sniff(arrived.head), want.mimetype ?? arrived.mimetype, written);
        const { mimetype, filename, filesize, sha256 } = await keep({
          mediaId,
          sessionId: want.sessionId,
          filename: named(written, want.kind, type),
          filesize: arrived.size,
          mimetype: type.mimetype,
          sha256: arrived.sha256,
        });
        return { mediaId, mimetype, filename, size: filesize, sha256 };
      });
    },
    upload: (bytes, { filename, mimetype, sessionId }) => {
      const mediaId = newId("med", clock.now());
      const capBytes = CAP_BYTES.document;
      const oversize = (): Error =>
        new HubError("PAYLOAD_TOO_LARGE", "The file is too big.", { details: { capBytes } });
      return orNothing(mediaId, async () => {
        await refuseWhenFull();
        const written = await files.write(mediaId, bytes, {
          capBytes,
          tooBig: oversize,
          verify: refuseEmpty,
        });
        const type = documentType(await sniff(written.head), mimetype, filename);
        const { size: filesize, sha256 } = written;
        const name = named(filename, "file", type);
        return keep({ mediaId, sessionId, filename: name, filesize, mimetype: type.mimetype, sha256 });
      });
    },
  };
}

const foreign = (): HubError => new HubError("MEDIA_NOT_FOUND", "This file is not known here.");

function refuseEmpty({ size }: WrittenFile): void {
  if (size === 0) throw new HubError("MEDIA_ERROR", "The file is empty.");
}
