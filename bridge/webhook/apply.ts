/** An event of the hub → the CRM. Safe to repeat and in any order: writes carry their position, and older ones change nothing. */
import { parseEventData, type HubEvent } from "../../hub/contract/index.ts";
import { HubUnavailable } from "../errors.ts";
import { failedItemId, type FailedRecord } from "../failed-items.ts";
import { chatLane } from "../lanes.ts";
import type { Applied, Apply } from "../applied.ts";
import { messageHandlers } from "./apply-messages.ts";
import { positionOf, settle, type ApplyParts, type Handlers } from "./apply-parts.ts";
import { peopleHandlers } from "./apply-people.ts";
import { sessionHandlers } from "./apply-sessions.ts";
import { isIgnored, type AppliedEvent } from "./ignored-events.ts";

/** The messages read where an event could not even say which one it is about. */
const LAST_MESSAGES = 50;

const NOTHING: Applied = { action: "ignored" };

export function createApply(parts: ApplyParts): Apply {
  const { adapter, hub, lanes, requestSync, failed, log } = parts;
  const handlers: Handlers<AppliedEvent> = {
    ...messageHandlers(parts),
    ...peopleHandlers(parts),
    ...sessionHandlers(parts),
  };

  const applyAs = <Name extends AppliedEvent>(
    name: Name,
    handle: Handlers<Name>[Name],
    event: HubEvent,
  ): Promise<Applied> => {
    const data = parseEventData(name, event.data);
    const { sessionId } = event;
    if (data !== null) return handle({ event, data, sessionId, position: positionOf(event) });
    return event.data["truncated"] === true ? readAgain(event) : malformed(event);
  };

  /** Too big even with its texts cut: nothing is left of it but where to read. */
  const readAgain = async (event: HubEvent): Promise<Applied> => {
    const { sessionId } = event;
    const chat = event.event.startsWith("message.") ? chatInHref(event.data["href"]) : null;
    if (chat === null) {
      await requestSync(sessionId, "gap");
      return { action: "sync_started" };
    }
    const { items, position } = await hub.messages(sessionId, chat, { limit: LAST_MESSAGES });
    const chatId = items[0]?.chatId ?? chat;
    return lanes.run(chatLane(sessionId, chatId), async () => {
      const results = await adapter.upsertMessages({ sessionId, position, items: items.toReversed() });
      const refused = results.find(({ outcome }) => outcome === "rejected");
      return settle(failed, recordOf(event), refused ?? { outcome: "updated" });
    });
  };

  const malformed = (event: HubEvent): Promise<Applied> => {
    log.warn({ eventId: event.id, seq: event.seq, event: event.event }, "event.malformed");
    return settle(failed, recordOf(event), { outcome: "rejected", error: "Invalid data" });
  };

  /** What the hub will never tell more about must not hold up everything that came after it. */
  const passed = (event: HubEvent, { code, message }: HubUnavailable): Promise<Applied> => {
    if (code === "SESSION_NOT_FOUND") return Promise.resolve(NOTHING);
    return settle(failed, recordOf(event), { outcome: "rejected", error: message });
  };

  const applyOrPass = async (event: HubEvent): Promise<Applied> => {
    const { event: name } = event;
    if (isIgnored(name)) return NOTHING;
    try {
      return await applyAs<AppliedEvent>(name, handlers[name], event);
    } catch (cause) {
      if (cause instanceof HubUnavailable && FINAL.includes(cause.code ?? "")) return passed(event, cause);
      throw cause;
    }
  };

  return async (event) => {
    const applied = await applyOrPass(event);
    // One that a reading of the feed set aside may come again by webhook, or with a replay.
    if (applied.rejected === undefined && event.seq > 0) await failed.resolve(failedItemId(recordOf(event)));
    return applied;
  };
}

/** Answers of the hub that asking again does not change: the session is gone, or the event names what no question may name. */
const FINAL = ["SESSION_NOT_FOUND", "VALIDATION_ERROR"];

const recordOf = ({ sessionId, seq }: HubEvent): FailedRecord => ({
  sessionId,
  kind: "event",
  key: String(seq),
});

function chatInHref(href: unknown): string | null {
  const encoded = typeof href === "string" ? /\/api\/messages\/[^/]+\/([^/?]+)$/.exec(href)?.[1] : undefined;
  return encoded === undefined ? null : decodeURIComponent(encoded);
}
