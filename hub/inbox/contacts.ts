/** Who somebody is: from the store, and from WhatsApp only when a number is asked for the first time in a day. */
import type { Contact } from "../core/chat.ts";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { isLidJid, isPhoneJid, userOf, type Jid } from "../core/jid.ts";
import { noPressure, type Pressure } from "../core/pressure.ts";
import type { InboxStore, LookUpStore, MediaStore } from "../core/store.ts";
import type { WhatsAppLink } from "../core/whatsapp.ts";
import { inTime, ORDER_MS } from "./in-time.ts";
import type { Ingest } from "./ingest.ts";
import type { Media, OpenFile } from "./media.ts";
import { createPictures } from "./pictures.ts";
import { INTERNATIONAL, resolveRecipient } from "./recipient.ts";
import type { Numbering } from "./send-request.ts";
import { createShelf } from "./shelf.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_LOOK_UPS = 10_000;

export interface LookUp {
  exists: boolean;
  jid: Jid | null;
  lid: Jid | null;
}

export interface Contacts {
  /** Whether a number is on WhatsApp; asks WhatsApp at most once a day per number. */
  lookUp(
    sessionId: string,
    phone: string,
    numbering?: Numbering,
  ): Promise<LookUp & { contact: Contact | null }>;
  /** From the store alone, however the contact is written; what it lacks may be asked for later. @throws HubError CONTACT_NOT_FOUND */
  info(sessionId: string, written: string, numbering?: Numbering): Promise<Contact>;
  /** Blocked people cannot write. @throws HubError VALIDATION_ERROR for a group */
  block(sessionId: string, written: string, isBlocked: boolean, numbering?: Numbering): Promise<Contact>;
  /** The profile picture; asks WhatsApp at most once a day per contact. @throws HubError MEDIA_NOT_FOUND without one */
  picture(sessionId: string, written: string, numbering?: Numbering): Promise<OpenFile>;
  /** Asks WhatsApp now for picture and about text. */
  refresh(contact: Contact): Promise<void>;
}

export interface ContactsParts {
  inbox: Pick<InboxStore, "contact" | "knows" | "addresses">;
  media: Pick<Media, "fromSource" | "open" | "remove">;
  tokens: Pick<MediaStore, "addToken" | "byToken">;
  lookUps: Pick<LookUpStore, "asking" | "asked" | "failed">;
  link: (sessionId: string) => WhatsAppLink;
  ingest: Ingest;
  pressure?: Pressure;
  /** Throws OVERLOADED while the disk has no room for files. */
  refuseWhenFull?: () => Promise<void>;
  /** Hears of each contact that somebody wanted to know about. */
  onWanted?: (contact: Contact) => void;
  clock: Clock;
  /** How long the connection may take over one. */
  orderMs?: number;
}

export function createContacts(parts: ContactsParts): Contacts {
  const { inbox, link, ingest, pressure = noPressure, clock, orderMs = ORDER_MS } = parts;
  const pictures = createPictures({ ...parts, pressure, orderMs });
  const known = createShelf<LookUp>({ clock, keepMs: DAY_MS, max: MAX_LOOK_UPS });

  const ask = async (sessionId: string, digits: string): Promise<LookUp> => {
    const found = await inTime(link(sessionId).lookUp(digits), orderMs);
    if (found.jid !== null && found.lid !== null)
      await ingest({ sessionId, facts: [{ kind: "lid", lid: found.lid, phone: found.jid }], closes: [] });
    return found;
  };

  const find: Contacts["info"] = async (sessionId, written, numbering = INTERNATIONAL) => {
    const jid = await resolveRecipient({ sessionId, written, numbering, inbox, field: "contactId" });
    const contact = await inbox.contact(sessionId, jid);
    if (contact !== null) return contact;
    throw new HubError("CONTACT_NOT_FOUND", "This contact is not known in this session.");
  };

  const block: Contacts["block"] = async (sessionId, written, isBlocked, numbering = INTERNATIONAL) => {
    const jid = await resolveRecipient({ sessionId, written, numbering, inbox, field: "contactId" });
    if (!isPhoneJid(jid) && !isLidJid(jid)) throw noPerson("contactId", "name a person");
    await inTime(link(sessionId).block(jid, isBlocked), orderMs);
    await ingest({
      sessionId,
      facts: [{ kind: "contact", jid, change: { isBlocked }, live: true }],
      closes: [],
    });
    return find(sessionId, written, numbering);
  };

  return {
    block,
    lookUp: async (sessionId, phone, numbering = INTERNATIONAL) => {
      const jid = await resolveRecipient({ sessionId, written: phone, numbering, inbox, field: "phone" });
      if (!isPhoneJid(jid)) throw noPerson("phone", "use digits with the country code");
      const digits = userOf(jid);
      const found = await known.get(`${sessionId} ${digits}`, () => ask(sessionId, digits));
      return { ...found, contact: found.exists ? await inbox.contact(sessionId, found.jid ?? jid) : null };
    },
    info: async (sessionId, written, numbering) => {
      const contact = await find(sessionId, written, numbering);
      parts.onWanted?.(contact);
      return contact;
    },
    picture: async (sessionId, written, numbering) => pictures.of(await find(sessionId, written, numbering)),
    refresh: (contact) => pictures.refresh(contact),
  };
}

const noPerson = (path: string, problem: string): HubError =>
  new HubError("VALIDATION_ERROR", "This is not the address of a person.", {
    details: { fields: [{ path, problem }] },
  });
