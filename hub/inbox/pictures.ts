/**
 * Profile pictures and about texts: asked of WhatsApp at most once a day per contact, unless WhatsApp itself says that a picture
 * is a new one. Pictures are kept on our disk behind a token.
 */
import type { Contact } from "../core/chat.ts";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { ContactChange } from "../core/facts.ts";
import { newToken } from "../core/ids.ts";
import { isGroupJid, type Jid } from "../core/jid.ts";
import type { Pressure } from "../core/pressure.ts";
import type { LookUpStore, MediaItem, MediaStore } from "../core/store.ts";
import type { WhatsAppLink } from "../core/whatsapp.ts";
import { inTime } from "./in-time.ts";
import type { Ingest } from "./ingest.ts";
import { wasAskedLately } from "./look-up-walk.ts";
import type { Media, OpenFile } from "./media.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** The URL stays in CRMs for as long as the picture does; a new picture brings a new one. */
const TOKEN_MS = 10 * 365 * DAY_MS;

const RETRY_AFTER_SECONDS = 30;
/** An account that asks much looks like a machine. */
export const PER_DAY = 500;

export interface Pictures {
  /** @throws HubError MEDIA_NOT_FOUND when there is none, or none that we may see; OVERLOADED when none can be asked for now. */
  of(contact: Contact): Promise<OpenFile>;
  /** Asks WhatsApp for picture and about text, and keeps both. */
  refresh(contact: Contact): Promise<void>;
}

export interface PicturesParts {
  tokens: Pick<MediaStore, "addToken" | "byToken">;
  media: Pick<Media, "fromSource" | "open" | "remove">;
  lookUps: Pick<LookUpStore, "asking" | "asked" | "failed">;
  link: (sessionId: string) => WhatsAppLink;
  ingest: Ingest;
  pressure: Pressure;
  /** Throws OVERLOADED while the disk has no room for files. */
  refuseWhenFull?: () => Promise<void>;
  clock: Clock;
  orderMs: number;
}

interface Kept {
  token: string;
  item: MediaItem;
}

const none = (): HubError => new HubError("MEDIA_NOT_FOUND", "There is no picture of this contact.");

const tooBusy = (): HubError =>
  new HubError("OVERLOADED", "The hub is too busy to ask for a picture now.", {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });

const enoughToday = (now: Date): HubError =>
  new HubError("OVERLOADED", "WhatsApp was asked about enough contacts of this account today.", {
    retryAfterSeconds: Math.ceil((DAY_MS - (now.getTime() % DAY_MS)) / 1000),
  });

/** Nothing was asked, the answer went down with the connection, or nothing can be written down about it. */
const UNASKED = new Set(["OVERLOADED", "SESSION_NOT_CONNECTED", "STORE_UNAVAILABLE"]);

/** WhatsApp was asked in vain: about this contact it is not asked again for a day. */
export const wasInVain = (error: unknown): boolean => !(error instanceof HubError && UNASKED.has(error.code));

/** What WhatsApp said of somebody is good for a day. */
export const isLookedUp = ({ lookedUpAt }: Contact, now: Date): boolean =>
  lookedUpAt !== null && now.getTime() - lookedUpAt < DAY_MS;

export function createPictures(parts: PicturesParts): Pictures {
  const { tokens, media, lookUps, link, ingest, pressure, clock, orderMs } = parts;
  const underWay = new Map<string, Promise<string | null>>();

  const keptOf = async ({ pictureToken: token }: Contact): Promise<Kept | null> => {
    const item = token === null ? null : await tokens.byToken(token, clock.now());
    return token === null || item === null ? null : { token, item };
  };

  /** Puts the picture on our disk, unless it is the one that we have. */
  const bring = async (sessionId: string, url: string, kept: Kept | null) => {
    const { mediaId, sha256 } = await media.fromSource({ from: "url", url }, { sessionId, kind: "image" });
    if (kept !== null && sha256 === kept.item.sha256) {
      await media.remove(mediaId);
      return { mediaId: kept.item.mediaId, token: kept.token };
    }
    const token = newToken();
    await tokens.addToken(token, mediaId, new Date(clock.now().getTime() + TOKEN_MS));
    return { mediaId, token };
  };

  /** Undefined while WhatsApp does not say. */
  const aboutOf = async (connection: WhatsAppLink, jid: Jid): Promise<string | null | undefined> => {
    // What stands there of a group is its description, which comes by itself.
    if (isGroupJid(jid)) return undefined;
    try {
      return await inTime(connection.about(jid), orderMs);
    } catch (error) {
      if (error instanceof HubError && error.code === "WHATSAPP_ERROR") return undefined;
      throw error;
    }
  };

  /** The id of the file, null when there is none. */
  const ask = async (contact: Contact): Promise<string | null> => {
    const { sessionId, jid } = contact;
    const connection = link(sessionId);
    // What cannot be counted is not asked; whatever becomes of what was, it counts.
    await lookUps.asking(sessionId, clock.now());
    const [kept, url, about] = await Promise.all([
      keptOf(contact),
      inTime(connection.profilePictureUrl(jid), orderMs),
      aboutOf(connection, jid),
    ]);
    const shown = url === null ? null : await bring(sessionId, url, kept);
    const change: ContactChange = { pictureToken: shown?.token ?? null };
    if (about !== undefined) change.about = about;
    await ingest({
      sessionId,
      facts: [
        { kind: "contact", jid, change, live: true },
        { kind: "profile", jid, lookedUpAt: clock.now().getTime() },
      ],
      closes: [],
    });
    if (kept !== null && kept.item.mediaId !== shown?.mediaId) await media.remove(kept.item.mediaId);
    return shown?.mediaId ?? null;
  };

  /** Who asks meanwhile gets the same answer. */
  const askOnce = async (contact: Contact): Promise<string | null> => {
    if (pressure.sheds("pictures")) throw tooBusy();
    // Now, and not with an answer that nothing can be done with.
    await parts.refuseWhenFull?.();
    const name = `${contact.sessionId} ${contact.jid}`;
    const asking = underWay.get(name) ?? ask(contact).finally(() => underWay.delete(name));
    underWay.set(name, asking);
    return await asking;
  };

  const openIfAny = async (mediaId: string | null): Promise<OpenFile> => {
    if (mediaId === null) throw none();
    return media.open(mediaId);
  };

  /** For somebody who waits for it: within the day's number, and not again after a question that failed. */
  const askNow = async (contact: Contact): Promise<string | null> => {
    const { sessionId, jid } = contact;
    if ((await lookUps.asked(sessionId, clock.now())) >= PER_DAY) throw enoughToday(clock.now());
    try {
      return await askOnce(contact);
    } catch (error) {
      if (wasInVain(error)) await lookUps.failed(sessionId, jid, clock.now());
      throw error;
    }
  };

  return {
    of: async (contact) => {
      const now = clock.now();
      const mediaId = (await keptOf(contact))?.item.mediaId ?? null;
      if (isLookedUp(contact, now) || wasAskedLately(contact.askedAt, now)) return openIfAny(mediaId);
      try {
        return await openIfAny(await askNow(contact));
      } catch (error) {
        // What we have is better than nothing while WhatsApp cannot be asked.
        if (mediaId === null || !(error instanceof HubError) || error.code === "MEDIA_NOT_FOUND") throw error;
        return media.open(mediaId);
      }
    },
    refresh: async (contact) => {
      await askOnce(contact);
    },
  };
}
