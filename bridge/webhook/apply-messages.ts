/** Messages and what happens to them. A change of a message the CRM does not have brings the message first. */
import { messageOfEvent, type MessageEvent } from "../../hub/contract/index.ts";
import type { Position, WriteResult } from "../adapter.ts";
import { messageItemKey } from "../failed-items.ts";
import { chatLane } from "../lanes.ts";
import type { Message, MessageChange, MessageName } from "../records.ts";
import type { Action, Applied } from "../applied.ts";
import { only, settle, type ApplyParts, type Handlers } from "./apply-parts.ts";

type Name =
  | "message.received"
  | "message.reaction"
  | "message.sent"
  | "message.delivered"
  | "message.read"
  | "message.failed"
  | "message.edited"
  | "message.updated"
  | "message.deleted";

interface Where {
  sessionId: string;
  position: Position;
}

export function messageHandlers({ adapter, hub, lanes, failed }: ApplyParts): Handlers<Name> {
  const inLane = (sessionId: string, chatId: string, work: () => Promise<Applied>): Promise<Applied> =>
    lanes.run(chatLane(sessionId, chatId), work);

  const put = async (message: Message, { sessionId, position }: Where): Promise<WriteResult> =>
    only(await adapter.upsertMessages({ sessionId, position, items: [message] }));

  /** The message as the hub has it now; null when it does not have it any more. */
  const bring = async (sessionId: string, name: MessageName): Promise<WriteResult | null> => {
    const found = await hub.message(sessionId, name);
    return found && put(found.message, { sessionId, position: found.position });
  };

  const settled = async (
    sessionId: string,
    { chatId, messageId }: { chatId: string; messageId: string },
    result: WriteResult,
  ): Promise<Applied> => {
    const record = { sessionId, kind: "message", key: messageItemKey({ chatId, messageId }) } as const;
    return { ...(await settle(failed, record, result)), messageId };
  };

  /** `whole` is the message itself, where the event carries it. */
  const change = (
    told: Where,
    change: MessageChange,
    { as, whole }: { as?: Action; whole?: Message } = {},
  ): Promise<Applied> =>
    inLane(told.sessionId, change.chatId, async () => {
      const { sessionId, position } = told;
      let result = only(await adapter.changeMessages({ sessionId, position, items: [change] }));
      if (result.outcome === "missing")
        result = (await bring(sessionId, change)) ?? (whole ? await put(whole, told) : result);
      const applied = await settled(sessionId, change, result);
      const isWritten = applied.action === "created" || applied.action === "updated";
      return as !== undefined && isWritten ? { ...applied, action: as } : applied;
    });

  /** The message as the hub has it now, or as it was told. */
  const renewed = (told: Where, message: Message): Promise<Applied> =>
    inLane(told.sessionId, message.chatId, async () => {
      const result = (await bring(told.sessionId, message)) ?? (await put(message, told));
      return settled(told.sessionId, message, result);
    });

  const status = (
    told: Where & {
      data: { chatId: string; messageId: string; status: "sent" | "delivered" | "read" | "failed" };
    },
    at: number,
    error: string | null = null,
  ): Promise<Applied> => {
    const { chatId, messageId, status: reached } = told.data;
    return change(
      told,
      { kind: "status", chatId, messageId, fromMe: true, status: reached, at, error },
      { as: "status_updated" },
    );
  };

  const cut = (data: { truncated?: true | undefined }): boolean => data.truncated === true;

  return {
    "message.received": (told) => {
      const { data, sessionId } = told;
      const message = messageOfEvent(sessionId, data.message);
      if (cut(data)) return renewed(told, message);
      return inLane(sessionId, message.chatId, async () =>
        settled(sessionId, message, await put(message, told)),
      );
    },
    "message.reaction": (told) => {
      const { message, messageId, from, emoji } = told.data;
      const at = Math.floor(message.reactionMessage.senderTimestampMs / 1000);
      const name = { chatId: message.chatId, messageId, ...authorOf(told.data.target) };
      return change(told, { kind: "reaction", ...name, from, emoji, at });
    },
    "message.sent": (told) => status(told, told.data.timestamp),
    "message.delivered": (told) => status(told, told.data.deliveredAt),
    "message.read": (told) => status(told, told.data.readAt),
    "message.failed": (told) => {
      const at = Math.floor(Date.parse(told.event.timestamp) / 1000);
      return status(told, at, told.data.error);
    },
    // What was told in its place may have been reacted to meanwhile: the hub's own record knows.
    "message.updated": (told) => renewed(told, messageOfEvent(told.sessionId, told.data.message)),
    "message.edited": (told) => {
      const { data, sessionId } = told;
      const { chatId, messageId, content, editedAt } = data;
      if (cut(data)) return renewed(told, edited(sessionId, data));
      return change(
        told,
        { kind: "edit", chatId, messageId, ...authorOf(data.message), content, at: editedAt },
        { whole: edited(sessionId, data) },
      );
    },
    "message.deleted": (told) => {
      const { chatId, messageId, deletedAt, target } = told.data;
      return change(told, { kind: "deletion", chatId, messageId, ...authorOf(target), at: deletedAt });
    },
  };
}

const authorOf = (
  target: { fromMe: boolean; participant?: string | undefined } | undefined,
): Pick<MessageName, "fromMe" | "participant"> =>
  target === undefined ? {} : { fromMe: target.fromMe, participant: target.participant ?? null };

const edited = (
  sessionId: string,
  { message, editedAt }: { message: MessageEvent; editedAt: number },
): Message => ({ ...messageOfEvent(sessionId, message), editedAt });
