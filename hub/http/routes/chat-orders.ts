/** Orders about one chat: archive, pin, mute, and the sign that somebody writes. */
import { z } from "zod";
import { chatSchema } from "../../contract/resources.ts";
import type { Chat } from "../../core/chat.ts";
import { presentChat, viewOf } from "../../core/present.ts";
import type { Session } from "../../core/session.ts";
import type { ChatOrders, ChatTarget } from "../../inbox/chat-orders.ts";
import { numberingOf } from "../addresses.ts";
import { ok } from "../answer.ts";
import type { Caller } from "../auth.ts";
import { moment, secondsOf } from "../paging.ts";
import { sessionRoute, type Route } from "../route.ts";
import { inChat } from "./params.ts";

const FOR_EVER = -1;

const targetOf = (input: { session: Session; caller: Caller; params: { chatId: string } }): ChatTarget => ({
  sessionId: input.session.sessionId,
  chatId: input.params.chatId,
  numbering: numberingOf(input.caller),
});

const orderSchema = z.object({ value: z.boolean("use true or false") });
type Order = z.output<typeof orderSchema> & { until?: number | undefined };

const chatOrder = <B extends z.ZodType<Order>>(
  path: "archive" | "pin" | "mute",
  summary: string,
  body: B,
  order: (chats: ChatOrders, target: ChatTarget, asked: z.output<B>) => Promise<Chat>,
): Route =>
  sessionRoute({
    method: "put",
    path: `/api/messages/{sessionId}/{chatId}/${path}`,
    summary,
    scope: "send",
    params: inChat,
    body,
    response: chatSchema,
    handle: async (input, { chats, publicUrl }) => {
      const chat = await order(chats, targetOf(input), input.body);
      return ok(presentChat(chat, viewOf(input.session, publicUrl)));
    },
  });

export const chatOrderRoutes: Route[] = [
  chatOrder(
    "archive",
    "Puts a chat into the archive, or takes it out",
    orderSchema,
    (chats, target, { value }) => chats.archive(target, value),
  ),
  chatOrder("pin", "Pins a chat to the top, or lets it go", orderSchema, (chats, target, { value }) =>
    chats.pin(target, value),
  ),
  chatOrder(
    "mute",
    "Mutes a chat until a moment, or for ever without one; or makes it heard again",
    orderSchema.extend({ until: moment }),
    (chats, target, { value, until }) => chats.mute(target, value ? (secondsOf(until) ?? FOR_EVER) : 0),
  ),
  sessionRoute({
    method: "post",
    path: "/api/messages/{sessionId}/{chatId}/typing",
    summary: "Shows the other side that somebody writes, or stopped",
    scope: "send",
    params: inChat,
    body: z.object({
      state: z.enum(["composing", "recording", "paused"], "use composing, recording or paused"),
    }),
    response: z.object({}),
    handle: async (input, { chats }) => {
      await chats.showTyping(targetOf(input), input.body.state);
      return ok({});
    },
  }),
];
