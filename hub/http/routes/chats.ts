/** The conversations of a session. */
import { z } from "zod";
import { chatSchema, messageStatsSchema } from "../../contract/resources.ts";
import { showJid } from "../../core/jid.ts";
import { presentChat, viewOf } from "../../core/present.ts";
import type { Session } from "../../core/session.ts";
import type { ChatQuery } from "../../core/store.ts";
import { chatOf, numberingOf } from "../addresses.ts";
import { listOf, ok, type Answer } from "../answer.ts";
import type { HttpContext } from "../context.ts";
import { flag, moment, paging, secondsOf } from "../paging.ts";
import { positionOf } from "../position.ts";
import { sessionRoute, type Route } from "../route.ts";
import { followedListOfSchema } from "./list-of.ts";
import { chatIdSchema, inChat, inSession, messageIdSchema } from "./params.ts";

export const chatRoutes: Route[] = [
  sessionRoute({
    method: "get",
    path: "/api/messages/{sessionId}/chats",
    summary: "Chats, the one with the newest message first",
    scope: "read",
    contract: true,
    params: inSession,
    query: z.object({
      ...paging(20),
      chatId: chatIdSchema.optional(),
      search: z.string().max(200).optional(),
      archived: flag,
      unread: flag,
      updatedAfter: moment,
    }),
    response: followedListOfSchema("chats", chatSchema),
    handle: async ({ session, caller, query }, ctx) => {
      const chatId = query.chatId && (await chatOf({ session, caller }, query.chatId, ctx));
      return chatList(session, { ...query, chatId }, ctx);
    },
  }),
  sessionRoute({
    method: "get",
    path: "/api/messages/{sessionId}/unread",
    summary: "Chats with unread messages",
    scope: "read",
    contract: true,
    params: inSession,
    query: z.object(paging(20)),
    response: followedListOfSchema("chats", chatSchema),
    handle: ({ session, query }, ctx) => chatList(session, { ...query, unread: true }, ctx),
  }),
  sessionRoute({
    method: "get",
    path: "/api/messages/{sessionId}/stats",
    summary: "Counts of messages",
    scope: "read",
    contract: true,
    params: inSession,
    query: z.object({ since: moment, until: moment }),
    response: messageStatsSchema,
    handle: async ({ session, query }, { store, clock }) => {
      const range = { ...rangeOf(query), dayStart: dayStartOf(clock.now()) };
      return ok({ ...(await store.inbox.stats(session.sessionId, range)), at: clock.now().toISOString() });
    },
  }),
  sessionRoute({
    method: "put",
    path: "/api/messages/{sessionId}/{chatId}/read",
    summary: "Marks a chat, or the messages named, as read",
    scope: "send",
    contract: true,
    params: inChat,
    body: z.object({ messageIds: z.array(messageIdSchema).max(1000).nullish() }),
    response: z.object({ chatId: z.string(), marked: z.int(), unreadCount: z.literal(0) }),
    handle: async ({ session, caller, params, body }, { sending }) => {
      const order = {
        sessionId: session.sessionId,
        numbering: numberingOf(caller),
        messageIds: body.messageIds ?? null,
      };
      const { chatId, marked } = await sending.markRead({ ...order, chatId: params.chatId });
      return ok({ chatId: showJid(chatId, session.settings.jidForm), marked, unreadCount: 0 });
    },
  }),
];

async function chatList(
  session: Session,
  query: Omit<ChatQuery, "sessionId">,
  ctx: HttpContext,
): Promise<Answer> {
  const position = await positionOf(ctx);
  const page = await ctx.store.inbox.chats({ sessionId: session.sessionId, ...query });
  const view = viewOf(session, ctx.publicUrl);
  return listOf("chats", page, query, (chat) => presentChat(chat, view), position);
}

function rangeOf({ since, until }: { since?: number | undefined; until?: number | undefined }) {
  const [from, to] = [secondsOf(since), secondsOf(until)];
  return { ...(from === undefined ? {} : { since: from }), ...(to === undefined ? {} : { until: to }) };
}

/** Unix seconds of midnight UTC. */
const dayStartOf = (now: Date): number => Math.floor(now.getTime() / 86_400_000) * 86_400;
