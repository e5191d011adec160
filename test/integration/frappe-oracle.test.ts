/** A Frappe site and the CRM in memory are told the same in the same random order: they hold the same, field by field. */
import { expect, test } from "vitest";
import type { DocumentReader } from "../../bridge/adapter.ts";
import { readState, STATE_FIELD } from "../../bridge/adapters/frappe/hub-state.ts";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { aSessionRecord } from "../conformance/crm/records.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { closeFrappeRigs, openFrappeRig, type FrappeRig } from "../support/frappe-rig.ts";
import { PEOPLE, randomHistory } from "../support/told-history.ts";

closeFrappeRigs();

const LENGTH = 120;
const RUNS = 4;
type Row = Record<string, unknown>;
type Held = Record<string, Row>;

const CHAT_FIELDS = [
  "is_group",
  "is_archived",
  "last_message",
  "last_message_from_me",
  "last_remote_message_id",
];
const MESSAGE_FIELDS = [
  "direction",
  "content",
  "status",
  "from_number",
  "to_number",
  "is_starred",
  "is_reply",
  "has_reaction",
  "reaction",
];
const MOMENTS = ["last_message_time", "first_message_time", "timestamp"];

/** As text to the second; what is empty is null, whatever the site has for it. */
const valueOf = (field: string, value: unknown): unknown => {
  if (value === undefined || value === null || value === "") return null;
  return MOMENTS.includes(field) && typeof value === "string" ? value.slice(0, 19) : value;
};
const picked = (row: Row, fields: string[]): Row =>
  Object.fromEntries(fields.map((field) => [field, valueOf(field, row[field])]));

/** The site has one contact of a person for all accounts: it may have its number where this account's chat has none yet. */
const personOf = (id: string): string => PEOPLE.find(({ lid }) => lid === id)?.phone ?? id;

interface Tables {
  chats: Row[];
  messages: Row[];
  contacts: Row[];
  sessionOf(row: Row): string;
  nameOf(row: Row): { id: string; participant: string };
}

function view({ chats, messages, contacts, sessionOf, nameOf }: Tables): Held {
  const chatOf = new Map(chats.map((row) => [row["name"], String(row["chat_id"])]));
  const contactOf = new Map(contacts.map((row) => [row["name"], personOf(String(row["contact_id"]))]));
  const messageOf = new Map(messages.map((row) => [row["name"], nameOf(row).id]));
  const held: Held = {};
  const add = (key: string, row: Row): void => {
    held[key in held ? `${key} twice` : key] = row;
  };
  for (const row of chats)
    add(`chat ${sessionOf(row)} ${String(row["chat_id"])}`, {
      ...picked(row, [...CHAT_FIELDS, "last_message_time", "first_message_time"]),
      contact: contactOf.get(row["contact"]) ?? null,
    });
  for (const row of messages) {
    const { id, participant } = nameOf(row);
    const key = [sessionOf(row), chatOf.get(row["conversation"]), id, row["direction"], participant];
    add(`message ${key.join(" ")}`, {
      ...picked(row, [...MESSAGE_FIELDS, "timestamp"]),
      contact: contactOf.get(row["contact"]) ?? null,
      quoted: messageOf.get(row["quoted_message"]) ?? null,
    });
  }
  return held;
}

function siteHolds({ site }: FrappeRig): Held {
  const sessionOf = new Map(
    site.rows("WhatsApp Session").map((row) => [row.name, String(row["session_id"])]),
  );
  return view({
    chats: site.rows("WhatsApp Conversation"),
    messages: site.rows("WhatsApp Message"),
    contacts: site.rows("WhatsApp Contact"),
    sessionOf: (row) => sessionOf.get(String(row["session"])) ?? "",
    nameOf: (row) => {
      const { id, participant = "" } = readState(row[STATE_FIELD]);
      return { id: id ?? String(row["message_id"]), participant };
    },
  });
}

async function memoryHolds(documents: DocumentReader | undefined): Promise<Held> {
  if (documents === undefined) throw new Error("it serves its records");
  const list = (doctype: string) =>
    documents.list({
      ...{ doctype, fields: ["*"], filters: [], start: 0, limit: 10_000 },
      orderBy: [{ field: "creation", direction: "asc" }],
    });
  const sessionOf = new Map(
    (await list("WhatsApp Session")).map((row) => [row["name"], String(row["session_id"])]),
  );
  return view({
    chats: await list("WhatsApp Conversation"),
    messages: await list("WhatsApp Message"),
    contacts: await list("WhatsApp Contact"),
    sessionOf: (row) => sessionOf.get(row["session"]) ?? String(row["session"]),
    nameOf: (row) => ({ id: String(row["message_id"]), participant: String(row["participant"]) }),
  });
}

/** A contact that another account made is a member's as well; one that it merged away is no longer known by its hidden id. */
function asOfOneAccount(site: Held, memory: Held): Held {
  const known = Object.entries(site).map(([key, row]): [string, Row] => {
    const contact = memory[key]?.["contact"] ?? null;
    const member = key.split(" ").at(-1) ?? "";
    const isOthers =
      (contact === null && row["contact"] === personOf(member)) ||
      (row["contact"] === null && contact === personOf(member) && contact !== member);
    return [key, isOthers ? { ...row, contact } : row];
  });
  return Object.fromEntries(known);
}

test.each([
  ["one account", ["s1"]],
  ["two accounts that know the same people", ["s1", "s2"]],
])(
  "whatever is told of %s",
  async (_who, sessions) => {
    for (let run = 0; run < RUNS; run += 1) {
      const seed = `${Date.now()}-${run}`;
      console.log(`seed ${seed}`);
      const rig = await openFrappeRig({ timeZone: "UTC" });
      const oracle = createMemoryAdapter({ clock: fixedClock() });
      for (const sessionId of sessions)
        for (const adapter of [rig.adapter, oracle])
          await adapter.upsertSession(aSessionRecord({ sessionId }), 0);
      const told: string[] = [];
      for (const { what, tell } of randomHistory(seed, { length: LENGTH, sessions })) {
        told.push(what);
        await tell(rig.adapter);
        await tell(oracle);
        const [site, memory] = [siteHolds(rig), await memoryHolds(oracle.documents)];
        const says = `seed ${seed}\n${told.join("\n")}`;
        expect(sessions.length === 1 ? site : asOfOneAccount(site, memory), says).toEqual(memory);
      }
    }
  },
  120_000,
);
