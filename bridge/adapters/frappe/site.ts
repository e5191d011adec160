/** What every part of the Frappe adapter works with: the site's tables, its time, and what is remembered while it runs. */
import { createHash } from "node:crypto";
import type { Clock } from "../../clock.ts";
import type { Lanes } from "../../lanes.ts";
import type { Log } from "../../log.ts";
import {
  bounded,
  createNameLists,
  createPositions,
  type Bounded,
  type NameLists,
  type Positions,
} from "./memory.ts";
import type { SiteTables } from "./site-tables.ts";
import type { SiteTime } from "./site-time.ts";
import type { Writes } from "./write-many.ts";

export const SESSION = "WhatsApp Session";
export const CONTACT = "WhatsApp Contact";
export const CONVERSATION = "WhatsApp Conversation";
export const MESSAGE = "WhatsApp Message";
export const MEDIA = "WhatsApp Message Media";
export const CLIENT = "WhatsApp Client";

export interface Site {
  tables: SiteTables;
  writes: Writes;
  /** Asked from the site at first use, unless configured. */
  time(): Promise<SiteTime>;
  lanes: Lanes;
  clock: Clock;
  log: Log;
  positions: Positions;
  /** Messages with reactions of several, by the hidden id of one of them: names of documents. */
  hiddenReactions: NameLists;
  /** Names of the site's documents by what names them in the hub. */
  names: { sessions: Bounded<string>; contacts: Bounded<string>; chats: Bounded<string> };
}

const REMEMBERED = { sessions: 1000, contacts: 20_000, chats: 20_000, hiddenReactions: 5000 };

export const siteMemory = (): Pick<Site, "positions" | "names" | "hiddenReactions"> => ({
  positions: createPositions(),
  hiddenReactions: createNameLists(REMEMBERED.hiddenReactions),
  names: {
    sessions: bounded(REMEMBERED.sessions),
    contacts: bounded(REMEMBERED.contacts),
    chats: bounded(REMEMBERED.chats),
  },
});

export const nowSeconds = (clock: Clock): number => Math.floor(clock.now().getTime() / 1000);

/** One person, one chat: the two forms of a phone's address name the same. */
export const addressOf = (jid: string): string => jid.replace(/@s\.whatsapp\.net$/, "@c.us");

const PERSON = /@(?:c\.us|s\.whatsapp\.net|lid)$/;
export const isPerson = (jid: string): boolean => PERSON.test(jid);

/** `+digits` of a phone's address; the site asks for something, so any other id stands for itself. */
export const phoneNumberOf = (jid: string): string => {
  const digits = /^(\d+)@(?:c\.us|s\.whatsapp\.net)$/.exec(jid)?.[1];
  return digits === undefined ? jid : `+${digits}`;
};

export const digest = (...parts: string[]): string =>
  createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 32);
