/** An event of the hub → the CRM. Safe to repeat and in any order: writes carry their position, and older ones change nothing. */
import { parseEventData, type EventName, type HubEvent } from "../../hub/contract/index.ts";
import { HubUnavailable } from "../errors.ts";
import { chatLane } from "../lanes.ts";
import type { Applied, Apply } from "./applied.ts";
import { messageHandlers } from "./apply-messages.ts";
import { positionOf, settle, type ApplyParts, type Handlers } from "./apply-parts.ts";
import { peopleHandlers } from "./apply-people.ts";
import { sessionHandlers } from "./apply-sessions.ts";

/** The messages read where an event could not even say which one it is about. */
const LAST_MESSAGES = 50;

export function createApply(parts: ApplyParts): Apply {
  const { adapter, hub, lanes, requestSync, failed, log } = parts;
  const ignored = (): Promise<Applied> => Promise.resolve({ action: "ignored" });
  const handlers: Handlers<EventName> = {
    ...messageHandlers(parts),
    ...peopleHandlers(parts),
    ...sessionHandlers(parts),
    "call.received": ignored,
    "delivery.dead": ignored,
    "session.alert": ignored,
    "session.cleanup": ignored,
    "session.restricted": ignored,
    "bot.status": ignored,
    "endpoint.test": ignored,
  };

  const applyAs = <Name extends EventName>(
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
      const record = { sessionId, kind: "event", key: String(event.seq) } as const;
      return settle(failed, record, refused ?? { outcome: "updated" });
    });
  };

  const malformed = (event: HubEvent): Promise<Applied> => {
    log.warn({ eventId: event.id, seq: event.seq, event: event.event }, "event.malformed");
    const record = { sessionId: event.sessionId, kind: "event", key: String(event.seq) } as const;
    return settle(failed, record, { outcome: "rejected", error: "Invalid data" });
  };

  /** What the hub will never tell more about must not hold up everything that came after it. */
  const passed = (event: HubEvent, { code, message }: HubUnavailable): Promise<Applied> => {
    if (code === "SESSION_NOT_FOUND") return ignored();
    const record = { sessionId: event.sessionId, kind: "event", key: String(event.seq) } as const;
    return settle(failed, record, { outcome: "rejected", error: message });
  };

  return async (event) => {
    try {
      return await applyAs<EventName>(event.event, handlers[event.event], event);
    } catch (cause) {
      if (cause instanceof HubUnavailable && FINAL.includes(cause.code ?? "")) return passed(event, cause);
      throw cause;
    }
  };
}

/** Answers of the hub that asking again does not change: the session is gone, or the event names what no question may name. */
const FINAL = ["SESSION_NOT_FOUND", "VALIDATION_ERROR"];

function chatInHref(href: unknown): string | null {
  const encoded = typeof href === "string" ? /\/api\/messages\/[^/]+\/([^/?]+)$/.exec(href)?.[1] : undefined;
  return encoded === undefined ? null : decodeURIComponent(encoded);
}
