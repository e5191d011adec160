/** Writes pages of the hub's records into the CRM and counts what became of them. One bad record does not stop the rest. */
import type { Batch, CrmAdapter, Position, WriteResult } from "../adapter.ts";
import { failedItemId, mergeItemKey, messageItemKey, type FailedItems } from "../failed-items.ts";
import { chatLane, runInAll, type Lanes } from "../lanes.ts";
import type { Chat, Contact, Message } from "../records.ts";
import type { FailedItem, Tally } from "../state/bridge-state.ts";
import { addTally, NOTHING } from "./tally.ts";

const CHATS_AT_ONCE = 25;
const REFUSED = "The CRM refused the record.";

interface Page<T> {
  sessionId: string;
  items: T[];
  position: Position;
}

export interface RecordWriter {
  contacts(page: Page<Contact>): Promise<Tally>;
  /** Those that the CRM still has under a hidden id are merged first: the event that told the number may have been missed. */
  chats(page: Page<Chat>): Promise<Tally>;
  /** Of one chat, oldest first. */
  messages(page: Page<Message> & { chatId: string }): Promise<Tally>;
}

interface Kind<T> {
  kind: FailedItem["kind"];
  keyOf: (record: T) => string;
  upsert: (batch: Batch<T>) => Promise<WriteResult[]>;
}

export function createRecordWriter({
  adapter,
  lanes,
  failed,
}: {
  adapter: Pick<
    CrmAdapter,
    "upsertContacts" | "upsertChats" | "upsertMessages" | "mergeContact" | "chatDigests"
  >;
  lanes: Lanes;
  failed: FailedItems;
}): RecordWriter {
  const contact: Kind<Contact> = {
    kind: "contact",
    keyOf: ({ id }) => id,
    upsert: (batch) => adapter.upsertContacts(batch),
  };
  const chat: Kind<Chat> = {
    kind: "chat",
    keyOf: ({ chatId }) => chatId,
    upsert: (batch) => adapter.upsertChats(batch),
  };
  const message: Kind<Message> = {
    kind: "message",
    keyOf: messageItemKey,
    upsert: (batch) => adapter.upsertMessages(batch),
  };

  async function write<T>(
    { sessionId, items, position }: Page<T>,
    { kind, keyOf, upsert }: Kind<T>,
  ): Promise<Tally> {
    const results = await upsert({ sessionId, position, items });
    if (results.length !== items.length)
      throw new Error(`the CRM adapter answered ${results.length} results for ${items.length} records`);
    const failedBefore = new Set(failed.list(sessionId).map(({ id }) => id));
    for (const [index, result] of results.entries()) {
      const item = items[index];
      if (item === undefined) continue;
      const record = { sessionId, kind, key: keyOf(item) };
      if (result.outcome === "rejected") await failed.add({ ...record, error: result.error ?? REFUSED });
      else if (failedBefore.has(failedItemId(record))) await failed.resolve(failedItemId(record));
    }
    return tallyOf(results);
  }

  async function mergeMissed({ sessionId, items, position }: Page<Chat>): Promise<void> {
    const numberOf = new Map(
      items.flatMap(({ chatId, lid = chatId }): [string, string][] =>
        lid === chatId ? [] : [[lid, chatId]],
      ),
    );
    if (numberOf.size === 0) return;
    const digests = await adapter.chatDigests(sessionId, [...numberOf.keys()]);
    const hidden = new Set(digests.map(({ chatId }) => chatId));
    const failedBefore = new Set(failed.list(sessionId).map(({ id }) => id));
    for (const [from, into] of numberOf) {
      const merge = { sessionId, from, into, position };
      const record = { sessionId, kind: "contact", key: mergeItemKey(merge) } as const;
      const id = failedItemId(record);
      // One that was refused is still to be done, whatever the CRM tells of the hidden chat: maybe it tells of no chat.
      const wasRefused = failedBefore.has(id);
      if (!hidden.has(from) && !wasRefused) continue;
      const names = [from, into].map((chatId) => chatLane(sessionId, chatId));
      const { outcome, error } = await runInAll(lanes, names, () => adapter.mergeContact(merge));
      if (outcome === "rejected") await failed.add({ ...record, error: error ?? REFUSED });
      else if (wasRefused) await failed.resolve(id);
    }
  }

  /** A webhook of a chat waits while the chat is written: not for a whole page of others as well. */
  async function writeChats(page: Page<Chat>): Promise<Tally> {
    await mergeMissed(page);
    let tally = NOTHING;
    for (let start = 0; start < page.items.length; start += CHATS_AT_ONCE) {
      const items = page.items.slice(start, start + CHATS_AT_ONCE);
      const names = items.map(({ chatId }) => chatLane(page.sessionId, chatId));
      tally = addTally(tally, await runInAll(lanes, names, () => write({ ...page, items }, chat)));
    }
    return tally;
  }

  return {
    // In no lane: CRMs know a contact by its id alone, and a page of strangers must not hold up anybody's messages.
    contacts: (page) => write(page, contact),
    chats: writeChats,
    messages: (page) => lanes.run(chatLane(page.sessionId, page.chatId), () => write(page, message)),
  };
}

function tallyOf(results: WriteResult[]): Tally {
  const having = (...outcomes: WriteResult["outcome"][]): number =>
    results.filter(({ outcome }) => outcomes.includes(outcome)).length;
  return {
    processed: results.length,
    created: having("created"),
    updated: having("updated"),
    unchanged: having("unchanged", "missing"),
    errors: having("rejected"),
  };
}
