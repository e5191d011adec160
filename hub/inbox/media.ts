/** Files of messages and uploads: stored under names of our own, fetched on demand, handed out by short-lived tokens. */
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { newToken } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { Message } from "../core/message.ts";
import type { MediaItem, MediaStore } from "../core/store.ts";
import type { WhatsAppLink } from "../core/whatsapp.ts";
import { createDownloads } from "./downloads.ts";
import { createMediaFiles, isMediaId } from "./media-files.ts";
import type { DownloadGuard } from "./media-source.ts";
import { createOutgoingFiles, type OutgoingFiles } from "./outgoing-files.ts";

const URL_TIMEOUT_MS = 20_000;
const RENEWED_TOKEN_MS = 60 * 60 * 1000;
/** WhatsApp allows documents of 2 GB; nobody reads those in a CRM, and one would fill a small disk. */
const DOWNLOAD_CAP_BYTES = 256 * 1024 * 1024;
const DOWNLOAD_HOLD_MS = 20_000;
const DOWNLOAD_DEADLINE_MS = 10 * 60 * 1000;

/** What the HTTP layer needs to serve a file. */
export interface OpenFile {
  item: MediaItem;
  path: string;
  size: number;
  mimetype: string;
  filename: string;
}

export interface Media extends OutgoingFiles {
  /** @throws HubError MEDIA_NOT_FOUND, MEDIA_ERROR, or OVERLOADED while it is still on its way. */
  open(mediaId: string): Promise<OpenFile>;
  openByToken(token: string): Promise<OpenFile>;
  /** A fresh token for a message's file, valid for an hour; begins to fetch the bytes. */
  renewUrl(message: Message): Promise<{ token: string; expiresAt: Date; item: MediaItem }>;
  /** Where the bytes of a stored item lie. */
  pathOf(mediaId: string): string;
  remove(mediaId: string): Promise<void>;
  /** The bytes of a file that is not known any more. */
  removeFile(mediaId: string): Promise<void>;
  /** Deletes what a crash left half-written; to be called once at start. */
  tidy(): Promise<void>;
  idle(): Promise<void>;
}

export interface MediaParts {
  media: MediaStore;
  link: (sessionId: string) => WhatsAppLink;
  /** The hub's data folder; files lie in its `media`. */
  dir: string;
  guard: DownloadGuard;
  clock: Clock;
  log: Log;
  /** Throws OVERLOADED while the disk has no room for files. */
  refuseWhenFull?: () => Promise<void>;
  urlTimeoutMs?: number;
  downloadHoldMs?: number;
  downloadDeadlineMs?: number;
}

const notFound = (): HubError => new HubError("MEDIA_NOT_FOUND", "This file is not known here.");

export function createMedia(parts: MediaParts): Media {
  const { media, link, guard, clock, log, urlTimeoutMs = URL_TIMEOUT_MS } = parts;
  const { downloadHoldMs: holdMs = DOWNLOAD_HOLD_MS, downloadDeadlineMs: deadlineMs = DOWNLOAD_DEADLINE_MS } =
    parts;
  const { refuseWhenFull = () => Promise.resolve() } = parts;
  const files = createMediaFiles(join(parts.dir, "media"));
  const downloads = createDownloads({
    media,
    files,
    link,
    capBytes: DOWNLOAD_CAP_BYTES,
    holdMs,
    deadlineMs,
    refuseWhenFull,
    clock,
    log,
  });

  const openItem = async (item: MediaItem | null): Promise<OpenFile> => {
    if (item === null || item.state === "gone") throw notFound();
    if ((await files.sizeOf(item.mediaId)) === null) await downloads.fetch(item);
    const size = await files.sizeOf(item.mediaId);
    if (size === null) throw notFound();
    return { item, path: files.pathOf(item.mediaId), size, mimetype: item.mimetype, filename: item.filename };
  };

  const byId = async (mediaId: string): Promise<MediaItem> => {
    const item = isMediaId(mediaId) ? await media.get(mediaId) : null;
    if (item === null) throw notFound();
    return item;
  };

  const open = async (mediaId: string): Promise<OpenFile> => openItem(await byId(mediaId));
  const outgoing = createOutgoingFiles({
    ...{ media, files, open, refuseWhenFull, guard, clock, urlTimeoutMs },
  });

  return {
    ...outgoing,
    open,
    openByToken: async (token) => openItem(await media.byToken(token, clock.now())),
    renewUrl: async (message) => {
      if (message.media === null) throw notFound();
      const item = await byId(message.media.mediaId);
      if (item.state === "gone") throw notFound();
      const token = newToken();
      const now = clock.now();
      const expiresAt = new Date(now.getTime() + RENEWED_TOKEN_MS);
      // Each call leaves one, for as long as the message lives.
      await media.forgetTokens(item.mediaId, { but: message.media.token, now });
      await media.addToken(token, item.mediaId, expiresAt);
      openItem(item).catch((error: unknown) => {
        const code = error instanceof HubError ? error.code : "INTERNAL_ERROR";
        log.info({ sessionId: message.sessionId, mediaId: item.mediaId, code }, "media.not_fetched_ahead");
      });
      return { token, expiresAt, item };
    },
    pathOf: (mediaId) => files.pathOf(mediaId),
    remove: async (mediaId) => {
      const { mediaId: known } = await byId(mediaId);
      await media.remove(known);
      await files.remove(known);
    },
    removeFile: (mediaId) => files.remove(mediaId),
    tidy: () => files.tidy(),
    idle: () => downloads.idle(),
  };
}
