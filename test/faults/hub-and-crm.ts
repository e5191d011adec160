/** I10: what a hub and the CRM of a bridge hold is the same, each thing once; both are read from their files. */
import { join } from "node:path";
import Database from "better-sqlite3";
import type { BridgeSite } from "../support/bridge-site.ts";
import type { PuppetHub } from "../support/puppet-hub.ts";

const SHOWN = 3;

/** All that makes a message that message, as the CRM writes it; the hub keeps the numbers of people in WhatsApp's form. */
const IN_HUB = `
  SELECT concat_ws(' ', s.session_id, replace(c.jid, '@s.whatsapp.net', '@c.us'), m.id, m.from_me,
    replace(m.participant, '@s.whatsapp.net', '@c.us'))
  FROM message m JOIN chat c ON c.id = m.chat JOIN session s ON s.id = m.session`;
const IN_CRM = `
  SELECT concat_ws(' ', m.session, coalesce(c.chat_id, 'without a chat'), m.message_id, m.from_me, m.participant)
  FROM whatsapp_message m LEFT JOIN whatsapp_conversation c ON c.name = m.conversation AND c.session = m.session`;
/** What else must be there once, apart from the CRM's own rules. */
const ONCE = [
  "SELECT concat_ws(' ', session, contact_id) FROM whatsapp_contact",
  "SELECT concat_ws(' ', session, chat_id) FROM whatsapp_conversation",
];

const keys = (db: Database.Database, sql: string): string[] => db.prepare<[], string>(sql).pluck().all();

function messagesOfHub({ dataDir }: PuppetHub): string[] {
  const db = new Database(join(dataDir, "hub.db"), { readonly: true, timeout: 5000 });
  try {
    return keys(db, IN_HUB);
  } finally {
    db.close();
  }
}

/** Each by all that makes it that message. */
export const messagesOfCrm = (site: BridgeSite): string[] => site.inFile((db) => keys(db, IN_CRM));

/** I10, in words where it is broken. `more`: the CRM may hold what the hub lost. */
export function differences(hub: PuppetHub, site: BridgeSite, { more = false } = {}): string[] {
  const inHub = messagesOfHub(hub);
  const inCrm = messagesOfCrm(site);
  const [ofHub, ofCrm] = [new Set(inHub), new Set(inCrm)];
  const once = site.inFile((db) => ONCE.map((sql) => keys(db, sql)));
  const isWhole = site.inFile((db) => db.pragma("quick_check", { simple: true }) === "ok");
  return [
    ...told(
      "lost",
      inHub.filter((key) => !ofCrm.has(key)),
    ),
    ...told("of nobody", more ? [] : inCrm.filter((key) => !ofHub.has(key))),
    ...[inCrm, ...once].flatMap((all) => told("doubled", repeated(all))),
    ...(isWhole ? [] : ["the CRM's file is broken"]),
  ];
}

function repeated(all: string[]): string[] {
  const seen = new Set<string>();
  return all.filter((key) => seen.has(key) || !seen.add(key));
}

const told = (what: string, which: string[]): string[] =>
  which.length === 0 ? [] : [`${which.length} ${what}: ${which.slice(0, SHOWN).join(", ")}`];
