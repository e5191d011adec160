/** Orders to send many deliveries again, as answers, and which of them a caller may see. */
import { HubError } from "../core/errors.ts";
import { showJid } from "../core/jid.ts";
import type { ReplayJob } from "../core/store.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import { deliverableEndpoints } from "./endpoint-answers.ts";

/** @throws HubError `NOT_FOUND`, the same for unknown and for foreign ones */
export async function reachReplay(
  job: string,
  caller: Caller,
  ctx: Pick<HttpContext, "store" | "endpoints">,
): Promise<ReplayJob> {
  const found = await ctx.store.outbox.replayJob(job);
  const mine = found && (await deliverableEndpoints(caller, ctx));
  const { endpointId } = found?.filter ?? {};
  if (found === null || (mine !== "*" && (endpointId === undefined || !mine?.includes(endpointId))))
    throw new HubError("NOT_FOUND", "There is no such replay.");
  return found;
}

/** Shows replays with a chat they are about in its session's own form of addresses. */
export async function replayPresenter({ sessions }: Pick<HttpContext, "sessions">) {
  const forms = new Map(
    (await sessions.list()).map(({ sessionId, settings }) => [sessionId, settings.jidForm]),
  );
  return ({ id, filter, matched, replayed, startedAt, finishedAt }: ReplayJob) => {
    const { chatId, since, until, ...asked } = filter;
    const form = forms.get(filter.sessionId ?? "") ?? "c.us";
    return {
      job: id,
      state: finishedAt === null ? "running" : "done",
      filter: {
        ...asked,
        ...(chatId !== undefined && { chatId: showJid(chatId, form) }),
        ...(since !== undefined && { since: new Date(since).toISOString() }),
        ...(until !== undefined && { until: new Date(until).toISOString() }),
      },
      matched,
      replayed,
      startedAt: startedAt.toISOString(),
      finishedAt: finishedAt?.toISOString() ?? null,
    };
  };
}
