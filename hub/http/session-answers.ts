/** Sessions as answers, with the counts and ranges that the session itself does not know. */
import type { z } from "zod";
import type { sendingSchema } from "../contract/session-standing.ts";
import { presentSession } from "../core/present.ts";
import { restrictionReason } from "../core/restriction-event.ts";
import type { Session } from "../core/session.ts";
import { ok, type Answer } from "./answer.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import { invalid } from "./errors.ts";
import { deliverableEndpoints, presentEndpoints } from "./endpoint-answers.ts";
import { positionOf } from "./position.ts";

type Reads = Pick<HttpContext, "store" | "clock" | "sending">;

export const dayStartOf = (now: Date): number => Math.floor(now.getTime() / 86_400_000) * 86_400;

export async function shownSession(session: Session, { store, sending }: Reads) {
  const { sessionId } = session;
  const { unread } = await store.inbox.totals(sessionId);
  const shown = presentSession(session, { unreadCount: unread });
  if (shown.state !== "connected") return shown;
  const restriction = await sending.restrictionOf(sessionId);
  if (restriction === null) return shown;
  // What WhatsApp forbids is no matter of the connection: it is shown over one that works.
  return { ...shown, state: "restricted" as const, reason: restrictionReason(restriction) };
}

/** With what it is set to. */
const setSession = async (session: Session, ctx: Reads) => ({
  ...(await shownSession(session, ctx)),
  settings: session.settings,
});

async function shownSending(sessionId: string, { sending }: Reads): Promise<z.output<typeof sendingSchema>> {
  const { enabled, waiting, nextAt, restriction, newChats } = await sending.standing(sessionId);
  const { allowance } = newChats;
  return {
    enabled,
    waiting,
    nextAt: isoOrNull(nextAt),
    restricted: restriction && {
      until: restriction.isUntilKnown ? restriction.until.toISOString() : null,
      heldUntil: restriction.until.toISOString(),
      type: restriction.type,
    },
    newChats: {
      ...newChats,
      freeAt: isoOrNull(newChats.freeAt),
      allowance: allowance && { ...allowance, until: isoOrNull(allowance.until) },
    },
  };
}

const isoOrNull = (date: Date | null): string | null => date?.toISOString() ?? null;

export const sessionAnswer = async (session: Session, ctx: Reads): Promise<Answer> =>
  ok(await shownSession(session, ctx));

/** With the position after the order was done: whoever ordered knows by it which events came later. */
export async function orderAnswer(session: Session, ctx: Reads): Promise<Answer> {
  const position = await positionOf(ctx);
  return ok({ ...(await shownSession(session, ctx)), ...position });
}

/** A session as it is now, what there is of it, and the position that this answer is at least as new as. */
export async function sessionStanding(sessionId: string, ctx: HttpContext): Promise<Answer> {
  const position = await positionOf(ctx);
  const session = await ctx.sessions.get(sessionId);
  const shown = await setSession(session, ctx);
  const { contacts, chats, messages } = await ctx.store.inbox.totals(sessionId);
  return ok({ ...shown, totals: { contacts, chats, messages }, ...position });
}

export interface SessionFilter {
  page: number;
  limit: number;
  cursor?: string | undefined;
  status?: string | undefined;
  search?: string | undefined;
  sendToFrappe?: boolean | undefined;
}

/** Few enough to be filtered in memory; the cursor is the integer of the last one shown. */
export async function sessionList(caller: Caller, asked: SessionFilter, ctx: HttpContext): Promise<Answer> {
  const position = await positionOf(ctx);
  const words = asked.search?.toLowerCase();
  const seen = (await ctx.sessions.list())
    .filter(({ sessionId }) => caller.sees(sessionId))
    .filter(({ sendToFrappe }) => asked.sendToFrappe === undefined || sendToFrappe === asked.sendToFrappe)
    .filter((session) => asked.status === undefined || presentSession(session).status === asked.status)
    .filter((session) => words === undefined || textOf(session).includes(words))
    .sort((one, other) => one.id - other.id);
  const after = afterOf(asked.cursor);
  const start =
    asked.cursor === undefined ? (asked.page - 1) * asked.limit : seen.findIndex(({ id }) => id > after);
  const items = start < 0 ? [] : seen.slice(start, start + asked.limit);
  const last = items.at(-1);
  const nextCursor = last === undefined || last === seen.at(-1) ? null : String(last.id);
  const sessions = await Promise.all(items.map((session) => setSession(session, ctx)));
  const { page, limit } = asked;
  const total = seen.length;
  return ok({
    sessions,
    total,
    pagination: { total, page, limit, pages: Math.ceil(total / limit), nextCursor },
    ...position,
  });
}

function afterOf(cursor: string | undefined): number {
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
    throw invalid([{ path: "query.cursor", problem: "is not a cursor of this list" }]);
  return Number(cursor ?? 0);
}

const textOf = ({ sessionId, sessionName, phoneNumber }: Session): string =>
  [sessionId, sessionName, phoneNumber ?? ""].join(" ").toLowerCase();

/** Everything about one session: what it is set to, who hears of it, and how far back its messages go. */
export async function sessionDetail(session: Session, caller: Caller, ctx: HttpContext): Promise<Answer> {
  const { sessionId } = session;
  const [shown, sending, endpoints, { oldest, newest, complete }] = await Promise.all([
    shownSession(session, ctx),
    shownSending(sessionId, ctx),
    presentEndpoints(caller, { sessionId }, ctx),
    ctx.store.inbox.coverage(sessionId),
  ]);
  const history = { oldest, newest, complete };
  return ok({ ...shown, settings: session.settings, sending, endpoints, history });
}

/** Counts over all sessions the caller sees. */
export async function sessionStats(all: Session[], caller: Caller, ctx: HttpContext): Promise<Answer> {
  const { store, clock } = ctx;
  const seen = all.filter(({ sessionId }) => caller.sees(sessionId));
  const range = { dayStart: dayStartOf(clock.now()) };
  const counts = await Promise.all(seen.map(({ sessionId }) => store.inbox.stats(sessionId, range)));
  const endpoints = await deliverableEndpoints(caller, ctx);
  const { pending, retrying } = await store.outbox.stats(endpoints === "*" ? null : endpoints, clock.now());
  const byStatus: Record<string, number> = {};
  for (const session of seen) {
    const { status } = presentSession(session);
    byStatus[status] = (byStatus[status] ?? 0) + 1;
  }
  const messagesToday = counts.reduce((sum, { today }) => sum + today.sent + today.received, 0);
  return ok({ total: seen.length, byStatus, messagesToday, deliveriesPending: pending + retrying });
}
