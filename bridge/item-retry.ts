/** Records that once could not be written: each is brought from the hub as it is now, and written again. */
import type { HubEvent } from "../hub/contract/index.ts";
import type { CrmAdapter, WriteResult } from "./adapter.ts";
import { HubUnavailable } from "./errors.ts";
import { mergeOfItemKey, messageOfItemKey, type FailedItems } from "./failed-items.ts";
import type { HubClient } from "./hub-client.ts";
import { chatLane, runInAll, sessionLane, type Lanes } from "./lanes.ts";
import type { FailedItem } from "./state/bridge-state.ts";
import type { Apply } from "./applied.ts";

/** Resolves with the number of items that are well now; the others are kept with what the CRM said. */
export type ItemRetry = (items: FailedItem[]) => Promise<number>;

export function createItemRetry({
  hub,
  adapter,
  lanes,
  apply,
  failed,
}: {
  hub: HubClient;
  adapter: CrmAdapter;
  lanes: Lanes;
  apply: Apply;
  failed: Pick<FailedItems, "add" | "resolve">;
}): ItemRetry {
  /** Null when the hub keeps it no more. */
  const eventOf = async (seq: number): Promise<HubEvent | null> => {
    try {
      const { events } = await hub.events({ after: seq - 1, limit: 1 });
      return events.find((one) => one.seq === seq) ?? null;
    } catch (cause) {
      if (cause instanceof HubUnavailable && cause.code === "EVENTS_EXPIRED") return null;
      throw cause;
    }
  };

  /** The hub was asked, and refuses to tell of this one alone: the others are tried all the same. */
  const retryAlone = async (item: FailedItem): Promise<string | null> => {
    try {
      return await retry(item);
    } catch (cause) {
      if (cause instanceof HubUnavailable && cause.code === "VALIDATION_ERROR") return cause.message;
      throw cause;
    }
  };

  /** Why it was refused again; null when it is well, or the hub has nothing left to write. */
  const retry = async ({ sessionId, kind, key }: FailedItem): Promise<string | null> => {
    switch (kind) {
      case "event": {
        const event = await eventOf(Number(key));
        return event === null ? null : ((await apply(event)).rejected ?? null);
      }
      case "contact": {
        const merge = mergeOfItemKey(key);
        if (merge !== null) {
          const names = [merge.from, merge.into].map((chatId) => chatLane(sessionId, chatId));
          const order = { sessionId, ...merge, position: null };
          return refusal([await runInAll(lanes, names, () => adapter.mergeContact(order))]);
        }
        const found = await hub.contact(sessionId, key);
        if (found === null) return null;
        const { contact, position } = found;
        const batch = { sessionId, position, items: [contact] };
        return refusal(await lanes.run(sessionLane(sessionId), () => adapter.upsertContacts(batch)));
      }
      case "chat": {
        const found = await hub.chat(sessionId, key);
        if (found === null) return null;
        const { chat, position } = found;
        const batch = { sessionId, position, items: [chat] };
        return refusal(await lanes.run(chatLane(sessionId, key), () => adapter.upsertChats(batch)));
      }
      case "message": {
        const { chatId, messageId } = messageOfItemKey(key);
        const found = await hub.message(sessionId, { chatId, messageId });
        if (found === null) return null;
        const { message, position } = found;
        const batch = { sessionId, position, items: [message] };
        return refusal(await lanes.run(chatLane(sessionId, chatId), () => adapter.upsertMessages(batch)));
      }
    }
  };

  return async (items) => {
    let healed = 0;
    // One after the other: what failed together may have failed because the CRM was under pressure.
    for (const item of items) {
      const error = await retryAlone(item);
      const { id, sessionId, kind, key } = item;
      if (error !== null) await failed.add({ sessionId, kind, key, error });
      else {
        await failed.resolve(id);
        healed += 1;
      }
    }
    return healed;
  };
}

function refusal(results: WriteResult[]): string | null {
  const rejected = results.find(({ outcome }) => outcome === "rejected");
  return rejected === undefined ? null : (rejected.error ?? "The CRM refused the record.");
}
