/**
 * What must be true of a hub, judged by three books that do not know of each other: its data folder, WhatsApp's ledger and
 * the CRM's record. I8 (no connection to a refused address) has rows of its own; I9 is the time the rows measure.
 */
import { EVENTS, type EventName } from "../../hub/contract/events.ts";
import type { CrmRequest } from "../support/fake-crm.ts";
import type { LedgerEntry } from "../whatsapp/state/ledger.ts";
import { keyOf, readFolder, type Folder, type StoredEvent } from "./folder.ts";
import type { Stand } from "./stand.ts";

export interface Judgement {
  lost: number;
  doubled: number;
  problems: string[];
}

type Books = Pick<Stand, "emulator" | "crm" | "dataDir" | "accounts">;

/** Kinds that become a message of a chat; the rest is WhatsApp's own housekeeping between phone and device. */
const SAID = new Set([
  "text",
  "image",
  "video",
  "audio",
  "document",
  "sticker",
  "location",
  "contact",
  "poll",
]);
const EVERYTHING = 1_000_000;
const SHOWN = 3;

/** Holds at every moment, also the one of a kill. */
export function brokenNow(books: Books): string[] {
  return readFolder(books.dataDir, (folder) => {
    const ledger = ledgerOf(books);
    const stored = new Set(folder.messages());
    const events = folder.events();
    return [
      ...receiptedIsKept(ledger, folder, stored),
      ...doneIsStored(ledger, folder, stored),
      ...storedIsOwed(ledger, folder, events, stored),
      ...(folder.quickCheck() === "ok" ? [] : ["the database does not pass its quick check"]),
    ];
  });
}

/** Holds when everything that was said has come to rest. */
export function judge(books: Books): Judgement {
  const ledger = ledgerOf(books);
  const requests = books.crm.requests();
  const received = receivedAt(requests);
  return readFolder(books.dataDir, (folder) => {
    const messages = folder.messages();
    const said = ledger.filter(isSaid);
    const lost = said.filter((entry) => !received.has(entry.key));
    const doubled =
      messages.length -
      new Set(messages).size +
      [...received.values()].filter((events) => events.size > 1).length;
    const known = new Set(said.map(({ key }) => key));
    return {
      lost: lost.length,
      doubled,
      problems: [
        ...brokenNow(books),
        ...told(
          "messages at the CRM that nobody sent (I10)",
          [...received.keys()].filter((key) => !known.has(key)),
        ),
        ...told(
          "messages WhatsApp was refused",
          keys(ledger.filter(({ nackedAt }) => nackedAt !== undefined)),
        ),
        ...told(
          "messages asked for again",
          ledger.filter(({ retriedAt }) => retriedAt.length > 0).map(shown),
        ),
        ...orderKept(requests),
        ...bytesKept(requests, folder.events()),
        ...told(
          "wrong signatures",
          requests.filter(({ fault }) => fault !== null).map(({ webhookId }) => webhookId),
        ),
        ...oneOfEach(books, folder),
        ...(folder.openIntake() === 0 ? [] : [`${folder.openIntake()} intake rows left open`]),
        ...(folder.pendingDeliveries() === 0
          ? []
          : [`${folder.pendingDeliveries()} deliveries left pending`]),
      ],
    };
  });
}

interface Owed extends LedgerEntry {
  key: string;
}

function ledgerOf({ emulator, accounts }: Books): Owed[] {
  return accounts().flatMap(({ sessionId, number }) =>
    emulator
      .ledger({ account: number, limit: EVERYTHING })
      .map((entry) => ({ ...entry, key: keyOf(sessionId, entry.id) })),
  );
}

const isSaid = ({ kind }: LedgerEntry): boolean => SAID.has(kind);
const shown = ({ key, kind, group, sentAt }: Owed): string =>
  `${key} (${kind}${group === undefined ? "" : " in a group"}, sent ${sentAt.length} times)`;
const keys = (entries: Owed[]): string[] => entries.map(({ key }) => key);

const told = (what: string, found: string[]): string[] =>
  found.length === 0 ? [] : [`${found.length} ${what}: ${found.slice(0, SHOWN).join(", ")}`];

/** I1 */
function receiptedIsKept(ledger: Owed[], folder: Folder, stored: Set<string>): string[] {
  const kept = folder.withPlaintext();
  const missing = ledger.filter(
    ({ receiptedAt, key }) => receiptedAt !== undefined && !kept.has(key) && !stored.has(key),
  );
  return told("messages with a receipt are not on disk (I1)", keys(missing));
}

/** I2, its first half */
function doneIsStored(ledger: Owed[], folder: Folder, stored: Set<string>): string[] {
  const done = folder.done();
  const missing = ledger.filter((entry) => isSaid(entry) && done.has(entry.key) && !stored.has(entry.key));
  return told("intake rows are done without a message (I2)", keys(missing));
}

/** I2, its second half, and I3: a message has its event, an event has its deliveries. */
function storedIsOwed(ledger: Owed[], folder: Folder, events: StoredEvent[], stored: Set<string>): string[] {
  const subscriptions = folder.subscriptions();
  const owed = (type: string): number => subscriptions.filter((events) => wants(events, type)).length;
  const announced = new Set(
    events
      .filter(({ type }) => type === "message.received")
      .map((e) => keyOf(e.sessionId, e.messageId ?? "")),
  );
  const silent = ledger.filter(
    (entry) => isSaid(entry) && stored.has(entry.key) && !announced.has(entry.key),
  );
  const unowed = events.filter(({ type, deliveries }) => deliveries !== owed(type));
  return [
    ...told("messages are stored without an event (I3)", keys(silent)),
    ...told(
      "events are stored without their deliveries (I3)",
      unowed.map(({ id }) => id),
    ),
  ];
}

const isEvent = (type: string): type is EventName => type in EVENTS;
const wants = (events: string[], type: string): boolean =>
  events.includes(type) || (events.includes("*") && isEvent(type) && EVENTS[type].wildcard);

/** Session and message id → ids of the events that brought it. */
function receivedAt(requests: CrmRequest[]): Map<string, Set<string>> {
  const received = new Map<string, Set<string>>();
  for (const { accepted, event, sessionId, messageId, webhookId } of requests) {
    if (!accepted || event !== "message.received" || messageId === null) continue;
    const key = keyOf(sessionId, messageId);
    received.set(key, (received.get(key) ?? new Set()).add(webhookId));
  }
  return received;
}

/** I5: within a lane nothing is tried after something later was. */
function orderKept(requests: CrmRequest[]): string[] {
  const latest = new Map<string, number>();
  const late: string[] = [];
  for (const request of requests) {
    const { seq, webhookId, replay } = request;
    if (replay) continue;
    const lane = laneOf(request);
    const before = latest.get(lane) ?? 0;
    if (seq < before) late.push(webhookId);
    latest.set(lane, Math.max(before, seq));
  }
  return told("deliveries out of the order of their lane (I5)", late);
}

function laneOf({ event, sessionId, chatId, data }: CrmRequest): string {
  const isOfChat = isEvent(event) && EVENTS[event].lane === "chat";
  return `${sessionId}|${isOfChat ? String(chatId ?? data["groupId"] ?? data["from"]) : "*"}`;
}

/** I6: every attempt carries the bytes that were frozen with the event. */
function bytesKept(requests: CrmRequest[], events: StoredEvent[]): string[] {
  const frozen = new Map(events.map(({ id, body }) => [id, body]));
  const changed = requests.filter(({ webhookId, body }) => frozen.get(webhookId) !== body);
  return told(
    "attempts with other bytes than their event (I6)",
    changed.map(({ webhookId }) => webhookId),
  );
}

/** I4 is counted as doubled; I7: one device and one connection for each account. */
function oneOfEach({ emulator, accounts }: Books, folder: Folder): string[] {
  const crowded = accounts().filter(
    ({ number }) => emulator.account(number).devices.filter(({ connected }) => connected).length > 1,
  );
  return [
    ...told(
      "accounts with more than one connection (I7)",
      crowded.map(({ sessionId }) => sessionId),
    ),
    ...told("numbers held by more than one session (I7)", folder.sharedNumbers()),
  ];
}
