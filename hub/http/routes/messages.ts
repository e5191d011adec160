/** What was said, and what is done to it: listing, sending, reacting, editing, deleting. */
import { z } from "zod";
import { mediaSchema, messageSchema, sentSchema } from "../../contract/resources.ts";
import { mediaUrl } from "../../core/present.ts";
import { findMessage } from "../../inbox/find-message.ts";
import { chatOf, numberingOf } from "../addresses.ts";
import { ok } from "../answer.ts";
import type { Caller } from "../auth.ts";
import { deliverableEndpoints } from "../endpoint-answers.ts";
import { SEND_LIMIT } from "../json-body.ts";
import { messageAnswer, messageList, sentAnswer } from "../message-answers.ts";
import { stepsOf } from "../message-trace.ts";
import { flag, moment, paging, secondsOf } from "../paging.ts";
import { sessionRoute, type Route } from "../route.ts";
import { sendBodySchema } from "../send-body.ts";
import { forwardOnce, sendOnce } from "../send-once.ts";
import { followedListOfSchema } from "./list-of.ts";
import { chatIdSchema, inChat, inMessage, inSession, messageIdSchema } from "./params.ts";

const messageQuery = z.object({
  ...paging(),
  order: z
    .enum(["asc", "desc"])
    .optional()
    .describe(
      "Left out: newest first; with orderBy=updated from the first change to the last, as what changes between two pages is missed the other way",
    ),
  since: moment,
  until: moment,
  type: z.string().max(20).optional(),
  fromMe: flag,
  search: z.string().max(200).optional(),
  updatedAfter: moment,
  orderBy: z.enum(["updated"]).optional(),
  messageId: messageIdSchema.optional(),
});

const storeQuery = ({ since, until, messageId, order, ...rest }: z.output<typeof messageQuery>) => ({
  ...rest,
  order: order ?? (rest.orderBy === "updated" && !rest.search ? "asc" : "desc"),
  id: messageId,
  since: secondsOf(since),
  until: secondsOf(until),
});

/** `?chatId=` narrows a bare message id to one chat. */
const inOneChat = z.object({ chatId: chatIdSchema.optional() });

/** Who orders something of which message, as the inbox wants to hear it. */
const orderOf = (input: {
  session: { sessionId: string };
  caller: Caller;
  params: { messageId: string };
  query: { chatId?: string | undefined };
  reservedId: string | undefined;
}) => ({
  sessionId: input.session.sessionId,
  client: input.caller.key.client,
  numbering: numberingOf(input.caller),
  reservedId: input.reservedId,
  messageId: input.params.messageId,
  chatId: input.query.chatId ?? null,
});

export const messageRoutes: Route[] = [
  sessionRoute({
    method: "get",
    path: "/api/messages/{sessionId}",
    summary: "Messages of a session or of one chat, newest first",
    scope: "read",
    contract: true,
    params: inSession,
    query: messageQuery.extend({ chatId: chatIdSchema.optional() }),
    response: followedListOfSchema("messages", messageSchema),
    handle: async ({ session, caller, query }, ctx) => {
      const chatId = query.chatId && (await chatOf({ session, caller }, query.chatId, ctx));
      return messageList({ ...storeQuery(query), chatId }, session, ctx);
    },
  }),
  sessionRoute({
    method: "post",
    path: "/api/messages/{sessionId}/send",
    summary: "Sends a message; answers within 25 s",
    scope: "send",
    contract: true,
    params: inSession,
    body: sendBodySchema,
    bodyForm: { form: "json", maxBytes: SEND_LIMIT },
    example: { to: "+34 600 111 222", type: "text", message: "Your order is ready" },
    response: sentSchema,
    handle: async (input, ctx) => sentAnswer(await sendOnce(input, ctx), input.session, ctx),
  }),
  sessionRoute({
    method: "get",
    path: "/api/messages/{sessionId}/{chatId}",
    summary: "Messages of one chat, newest first",
    scope: "read",
    contract: true,
    params: inChat,
    query: messageQuery,
    response: followedListOfSchema("messages", messageSchema),
    handle: async ({ session, caller, params, query }, ctx) => {
      const chatId = await chatOf({ session, caller }, params.chatId, ctx);
      return messageList({ ...storeQuery(query), chatId }, session, ctx);
    },
  }),
  sessionRoute({
    method: "get",
    path: "/api/messages/{sessionId}/{messageId}/media",
    summary: "A fresh URL of a message's file, valid for an hour",
    scope: "media",
    contract: true,
    params: inMessage,
    query: inOneChat,
    response: mediaSchema
      .pick({ url: true, filename: true, mimetype: true, filesize: true })
      .extend({ media_url: z.string(), expiresAt: z.iso.datetime() }),
    handle: async (input, { store, media, publicUrl }) => {
      const { token, expiresAt, item } = await media.renewUrl(await findMessage(orderOf(input), store.inbox));
      const url = mediaUrl(token, publicUrl);
      const { filename, mimetype, filesize } = item;
      return ok({ url, media_url: url, filename, mimetype, filesize, expiresAt: expiresAt.toISOString() });
    },
  }),
  sessionRoute({
    method: "get",
    path: "/api/messages/{sessionId}/{messageId}/trace",
    summary: "The way of a message: received, stored, each attempt to deliver it, and what was answered",
    scope: "read",
    params: inMessage,
    query: inOneChat,
    response: z.object({
      steps: z.array(z.object({ at: z.iso.datetime(), step: z.string(), detail: z.string() })),
    }),
    handle: async (input, ctx) => {
      const message = await findMessage(orderOf(input), ctx.store.inbox);
      const mine = await deliverableEndpoints(input.caller, ctx);
      const trace = await ctx.store.trace.of(message);
      return ok({ steps: stepsOf(message, trace, (id) => mine === "*" || mine.includes(id)) });
    },
  }),
  sessionRoute({
    method: "put",
    path: "/api/messages/{sessionId}/{messageId}",
    summary: "Changes the text of an own message; WhatsApp allows about 15 minutes",
    scope: "send",
    params: inMessage,
    query: inOneChat,
    body: z.object({ text: z.string().min(1).max(65_536) }),
    response: messageSchema,
    handle: async (input, ctx) => {
      const { message } = await ctx.sending.edit({ ...orderOf(input), text: input.body.text });
      return messageAnswer(message, input.session, ctx);
    },
  }),
  sessionRoute({
    method: "delete",
    path: "/api/messages/{sessionId}/{messageId}",
    summary: "Deletes a message, for everyone unless told otherwise",
    scope: "send",
    contract: true,
    params: inMessage,
    query: inOneChat.extend({ forEveryone: flag }),
    response: z.object({ messageId: z.string(), deleted: z.literal(true) }),
    handle: async (input, { sending }) => {
      await sending.remove({ ...orderOf(input), forEveryone: input.query.forEveryone ?? true });
      return ok({ messageId: input.params.messageId, deleted: true });
    },
  }),
  sessionRoute({
    method: "post",
    path: "/api/messages/{sessionId}/{messageId}/react",
    summary: "Reacts with an emoji; an empty one takes it back",
    scope: "send",
    params: inMessage,
    query: inOneChat,
    body: z.object({ emoji: z.string().max(32) }),
    response: z.object({ messageId: z.string(), emoji: z.string() }),
    handle: async (input, { sending }) => {
      await sending.react({ ...orderOf(input), emoji: input.body.emoji });
      return ok({ messageId: input.params.messageId, emoji: input.body.emoji });
    },
  }),
  sessionRoute({
    method: "post",
    path: "/api/messages/{sessionId}/{messageId}/retry",
    summary: "Sends a failed message again",
    scope: "send",
    contract: true,
    params: inMessage,
    query: inOneChat,
    response: sentSchema,
    handle: async (input, ctx) => {
      await input.call.countSend(input.session.sessionId);
      return sentAnswer(await ctx.sending.retry(orderOf(input)), input.session, ctx);
    },
  }),
  sessionRoute({
    method: "post",
    path: "/api/messages/{sessionId}/{messageId}/forward",
    summary: "Sends the same message to somebody else",
    scope: "send",
    contract: true,
    params: inMessage,
    query: inOneChat,
    body: z.object({ to: z.string().min(1).max(140) }),
    response: sentSchema,
    handle: async (input, ctx) => {
      const message = await forwardOnce({ ...input, order: orderOf(input), to: input.body.to }, ctx);
      return sentAnswer(message, input.session, ctx);
    },
  }),
];
