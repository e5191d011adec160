/** One send of one caller: repeats without a key are merged, limits are counted for what is really sent. */
import type { Response } from "express";
import type { Message } from "../core/message.ts";
import type { Session } from "../core/session.ts";
import type { MessageTarget, SendOrigin, SendRequest } from "../inbox/send-request.ts";
import { chatOf, numberingOf } from "./addresses.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import type { Call } from "./route.ts";

interface Asked {
  session: Session;
  caller: Caller;
  call: Call;
  reservedId: string | undefined;
}

type SendBody = Pick<SendRequest, "to" | "content" | "quotedMessageId" | "mentions" | "queue" | "ttlSeconds">;

export function sendOnce(asked: Asked & { body: SendBody }, ctx: HttpContext): Promise<Message> {
  const { session, caller, body } = asked;
  const origin = { sessionId: session.sessionId, client: caller.key.client, numbering: numberingOf(caller) };
  const order = { to: body.to, type: body.content.kind };
  return once(asked, order, (reservedId) => ctx.sending.send({ ...origin, ...body, reservedId }), ctx);
}

export function forwardOnce(
  asked: Asked & { order: SendOrigin & MessageTarget; to: string },
  ctx: HttpContext,
): Promise<Message> {
  const { order, to } = asked;
  const type = JSON.stringify(["forward", order.chatId, order.messageId]);
  return once(asked, { to, type }, (reservedId) => ctx.sending.forward({ ...order, to, reservedId }), ctx);
}

async function once(
  { session, caller, call, reservedId }: Asked,
  { to, type }: { to: string; type: string },
  send: (reservedId: string) => Promise<Message>,
  ctx: HttpContext,
): Promise<Message> {
  const { sessionId } = session;
  const counted = async (id: string): Promise<Message> => {
    await call.countSend(sessionId);
    return send(id);
  };
  if (reservedId !== undefined) return counted(reservedId); // its Idempotency-Key tells repeats apart
  const identity = {
    client: caller.key.client,
    sessionId,
    chatId: await chatOf({ session, caller }, to, ctx, "to"),
    type,
    // The recipient is compared as resolved, not as written.
    requestBody: JSON.stringify({ ...(await call.readBody()), to: null }),
    dedupeSeconds: caller.key.settings.dedupeSeconds,
  };
  const shared = await ctx.dedupe.run(identity, counted);
  whenAnswered(call.response, (arrived) => shared.reached(arrived));
  return shared.value;
}

/** Tells whether the answer arrived: one that was cut off, or that a failure took the place of, did not. */
function whenAnswered(response: Response, reached: (arrived: boolean) => void): void {
  if (response.destroyed) {
    reached(false);
    return;
  }
  response.once("close", () => reached(response.writableFinished && response.statusCode < 400));
}
