/** Messages as answers: each with the number of its conversation, which the message itself does not know. */
import { HubError } from "../core/errors.ts";
import type { Message } from "../core/message.ts";
import { presentMessage, presentMessageEvent, viewOf } from "../core/present.ts";
import type { Session } from "../core/session.ts";
import type { MessageQuery } from "../core/store.ts";
import { listOf, ok, type Answer } from "./answer.ts";
import type { HttpContext } from "./context.ts";
import { positionOf } from "./position.ts";

type Reads = Pick<HttpContext, "store" | "publicUrl" | "clock">;
type SentReads = Reads & Pick<HttpContext, "sending">;

/** A message is never without its chat; 0 would mean that the store broke its promise. */
const NO_CONVERSATION = 0;

async function conversationsOf(
  messages: Message[],
  sessionId: string,
  { store }: Reads,
): Promise<Map<string, number>> {
  const chatIds = [...new Set(messages.map(({ chatId }) => chatId))];
  const chats = await Promise.all(chatIds.map((chatId) => store.inbox.chat(sessionId, chatId)));
  return new Map(chatIds.map((chatId, index) => [chatId, chats[index]?.conversationId ?? NO_CONVERSATION]));
}

/** A URL that is read now works now, however old its message is. */
async function renewUrls(messages: Message[], { store, clock }: Reads): Promise<void> {
  const tokens = messages.flatMap(({ media }) => (media === null ? [] : [media.token]));
  try {
    await store.media.renewTokens(tokens, clock.now());
  } catch (error) {
    // What was said can be read while nothing can be written.
    if (!(error instanceof HubError) || error.code !== "STORE_UNAVAILABLE") throw error;
  }
}

export async function messageList(
  query: Omit<MessageQuery, "sessionId">,
  session: Session,
  ctx: Reads,
): Promise<Answer> {
  const position = await positionOf(ctx);
  const page = await ctx.store.inbox.messages({ ...query, sessionId: session.sessionId });
  const conversations = await conversationsOf(page.items, session.sessionId, ctx);
  await renewUrls(page.items, ctx);
  const view = viewOf(session, ctx.publicUrl);
  return listOf(
    "messages",
    page,
    query,
    (message) => presentMessage(message, conversations.get(message.chatId) ?? NO_CONVERSATION, view),
    position,
  );
}

export async function messageAnswer(message: Message, session: Session, ctx: Reads): Promise<Answer> {
  const conversations = await conversationsOf([message], session.sessionId, ctx);
  const conversationId = conversations.get(message.chatId) ?? NO_CONVERSATION;
  await renewUrls([message], ctx);
  return ok(presentMessage(message, conversationId, viewOf(session, ctx.publicUrl)));
}

/** What a send answers: plain string ids on both levels, because callers store what they find there as the message's id. */
export async function sentAnswer(message: Message, session: Session, ctx: SentReads): Promise<Answer> {
  const conversations = await conversationsOf([message], session.sessionId, ctx);
  const conversationId = conversations.get(message.chatId) ?? NO_CONVERSATION;
  const { id, status, timestamp } = message;
  const eta = status === "pending" ? ctx.sending.etaOf(session.sessionId, id) : null;
  const shown = presentMessageEvent(message, viewOf(session, ctx.publicUrl), conversationId);
  return ok(
    {
      messageId: id,
      status,
      timestamp: new Date(timestamp * 1000).toISOString(),
      ...(eta === null ? {} : { eta: eta.toISOString() }),
      message: { ...shown, status, conversationId },
    },
    "Message accepted",
  );
}
