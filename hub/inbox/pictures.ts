/** Profile pictures: asked for on demand, at most once a day per contact, and kept on our disk behind a token. */
import type { Contact } from "../core/chat.ts";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { newToken } from "../core/ids.ts";
import type { Jid } from "../core/jid.ts";
import type { MediaItem, MediaStore } from "../core/store.ts";
import type { WhatsAppLink } from "../core/whatsapp.ts";
import { inTime } from "./in-time.ts";
import type { Ingest } from "./ingest.ts";
import type { Media, OpenFile } from "./media.ts";
import { createShelf } from "./shelf.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** The URL stays in CRMs for as long as the picture does; a new picture brings a new one. */
const TOKEN_MS = 10 * 365 * DAY_MS;
const MAX_REMEMBERED = 50_000;

export interface Pictures {
  /** @throws HubError MEDIA_NOT_FOUND when there is none, or none that we may see. */
  of(contact: Contact, sessionId: string): Promise<OpenFile>;
}

export interface PicturesParts {
  tokens: Pick<MediaStore, "addToken" | "byToken">;
  media: Pick<Media, "fromSource" | "open" | "remove">;
  link: (sessionId: string) => WhatsAppLink;
  ingest: Ingest;
  clock: Clock;
  orderMs: number;
}

const none = (): HubError => new HubError("MEDIA_NOT_FOUND", "There is no picture of this contact.");

export function createPictures({ tokens, media, link, ingest, clock, orderMs }: PicturesParts): Pictures {
  const asked = createShelf<string | null>({ clock, keepMs: DAY_MS, max: MAX_REMEMBERED });

  const tell = async (sessionId: string, jid: Jid, pictureToken: string | null): Promise<void> => {
    await ingest({
      sessionId,
      facts: [{ kind: "contact", jid, change: { pictureToken }, live: true }],
      closes: [],
    });
  };

  /** Puts the picture on our disk; the id of the kept one when it is the same. */
  const bring = async (sessionId: string, jid: Jid, url: string, kept: MediaItem | null): Promise<string> => {
    const file = await media.fromSource({ from: "url", url }, { sessionId, kind: "image" });
    if (kept !== null && file.sha256 === kept.sha256) {
      await media.remove(file.mediaId);
      return kept.mediaId;
    }
    const token = newToken();
    await tokens.addToken(token, file.mediaId, new Date(clock.now().getTime() + TOKEN_MS));
    await tell(sessionId, jid, token);
    return file.mediaId;
  };

  /** Asks WhatsApp and keeps what it shows; the id of the file, null when there is none. */
  const fetch = async (sessionId: string, jid: Jid, kept: MediaItem | null): Promise<string | null> => {
    const url = await inTime(link(sessionId).profilePictureUrl(jid), orderMs);
    const mediaId = url === null ? null : await bring(sessionId, jid, url, kept);
    if (kept === null || kept.mediaId === mediaId) return mediaId;
    if (mediaId === null) await tell(sessionId, jid, null);
    await media.remove(kept.mediaId);
    return mediaId;
  };

  return {
    of: async (contact, sessionId) => {
      const { pictureToken } = contact;
      const kept = pictureToken === null ? null : await tokens.byToken(pictureToken, clock.now());
      const isFresh = kept !== null && clock.now().getTime() - kept.createdAt.getTime() < DAY_MS;
      if (isFresh) return media.open(kept.mediaId);
      try {
        const mediaId = await asked.get(`${sessionId} ${contact.jid}`, () =>
          fetch(sessionId, contact.jid, kept),
        );
        if (mediaId === null) throw none();
        return await media.open(mediaId);
      } catch (error) {
        // What we have is better than nothing while WhatsApp cannot be asked.
        if (kept === null || !(error instanceof HubError) || error.code === "MEDIA_NOT_FOUND") throw error;
        return media.open(kept.mediaId);
      }
    },
  };
}
