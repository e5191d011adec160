/** Files of messages and uploads. Bytes lie on disk under the media id; rows say what they are. */
import type { Message } from "./message.ts";

export interface MediaStore {
  /** Files of recorded messages are added by `record`, with their token for seven days; a known id is left alone. */
  add(item: MediaItem): Promise<void>;
  get(mediaId: string): Promise<MediaItem | null>;
  /** The message a file belongs to. */
  messageOf(mediaId: string): Promise<Message | null>;
  saveState(
    mediaId: string,
    change: { state: MediaState; filesize?: number; sha256?: string | null },
  ): Promise<void>;
  addToken(token: string, mediaId: string, expiresAt: Date): Promise<void>;
  /** Tokens of a file that lead nowhere any more go, but for the one that its message is told with; returns how many. */
  forgetTokens(mediaId: string, options: { but: string; now: Date }): Promise<number>;
  /**
   * The short URLs of these files work for seven days more, where less than an hour is left. One transaction for all, and
   * no write where none is due.
   */
  renewTokens(tokens: string[], now: Date): Promise<void>;
  /** The item a short URL leads to while its token is valid. */
  byToken(token: string, now: Date): Promise<MediaItem | null>;
  remove(mediaId: string): Promise<void>;
  /** Removes files older than `before` that are of no message and that no address leads to any more; returns how many. */
  forgetUploads(query: { before: Date; now: Date; limit: number }): Promise<number>;
  /** Files whose row went, and whose bytes may still lie on disk: ids after this one, at most `limit`, in order. */
  left(after: string, limit: number): Promise<string[]>;
  /** Their bytes are gone as well. */
  cleared(mediaIds: string[]): Promise<void>;
}

/** remote: still at WhatsApp; stored: bytes on our disk; gone: WhatsApp no longer has them. */
export type MediaState = "remote" | "stored" | "gone";

export interface MediaItem {
  mediaId: string;
  /** Null for uploads that belong to no session yet. */
  sessionId: string | null;
  state: MediaState;
  filename: string;
  filesize: number;
  mimetype: string;
  sha256: string | null;
  createdAt: Date;
}
