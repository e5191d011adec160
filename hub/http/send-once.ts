/** One send of one caller: repeats without a key are merged, limits are counted for what is really sent. */
import type { Response } from "express";
import type { Message } from "../core/message.ts";
import type { Session } from "../core/session.ts";
import type { SendRequest } from "../inbox/send-request.ts";
import { chatOf, numberingOf } from "./addresses.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import type { Call } from "./route.ts";

interface Asked {
  session: Session;
  caller: Caller;
  call: Call;
  reservedId: string | undefined;
  body: Pick<SendRequest, "to" | "content" | "quotedMessageId" | "mentions" | "queue" | "ttlSeconds">;
}

export async function sendOnce(
  { session, caller, call, reservedId, body }: Asked,
  ctx: HttpContext,
): Promise<Message> {
  const { sessionId } = session;
  const send = async (id: string): Promise<Message> => {
    await call.countSend(sessionId);
    const origin = { sessionId, client: caller.key.client, numbering: numberingOf(caller) };
    return ctx.sending.send({ ...origin, ...body, reservedId: id });
  };
  if (reservedId !== undefined) return send(reservedId); // its Idempotency-Key tells repeats apart
  const chatId = await chatOf({ session, caller }, body.to, ctx, "to");
  const identity = {
    client: caller.key.client,
    sessionId,
    chatId,
    type: body.content.kind,
    // The recipient is compared as resolved, not as written.
    requestBody: JSON.stringify({ ...(await call.readBody()), to: null }),
    dedupeSeconds: caller.key.settings.dedupeSeconds,
  };
  const shared = await ctx.dedupe.run(identity, send);
  whenAnswered(call.response, (flushed) => shared.reached(flushed));
  return shared.value;
}

/** Tells what became of the answer: handed over in full, or cut off before that. */
function whenAnswered(response: Response, reached: (flushed: boolean) => void): void {
  if (response.destroyed) {
    reached(false);
    return;
  }
  response.once("close", () => reached(response.writableFinished));
}
