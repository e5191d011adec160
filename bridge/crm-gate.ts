/**
 * Nothing is written before the CRM is ready to hold it. A CRM that is down when the bridge starts is no reason not to
 * start: until it is there everything that wants it is told to come back, and the hub keeps the events.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { CrmAdapter } from "./adapter.ts";
import { adviceOnCrm } from "./advice.ts";
import { CrmMisconfigured, CrmUnavailable } from "./errors.ts";
import type { Log } from "./log.ts";

export interface CrmGate {
  /** The adapter; every write throws CrmUnavailable until the CRM was prepared. */
  adapter: CrmAdapter;
  /**
   * Tries now, and again and again in the background until it worked; resolves after the first try, or soon.
   * @throws what the first try threw soon, and nobody foresaw
   */
  open(): Promise<void>;
  isOpen(): boolean;
  /** Why nothing is written yet, and what helps; null once it is open. */
  problem(): string | null;
  /** Resolves once it is open, or the gate was stopped. */
  whenOpen(): Promise<void>;
  stop(): void;
}

/** A CRM that keeps the first try waiting must not keep the whole start waiting. */
const FIRST_TRY_MS = 3_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

export function createCrmGate({
  adapter,
  prepares,
  log,
  firstTryMs = FIRST_TRY_MS,
  firstPauseMs = FIRST_PAUSE_MS,
}: {
  adapter: CrmAdapter;
  /** False where the CRM's own shape is changed on order only, perhaps with more rights than the bridge has. */
  prepares: boolean;
  log: Log;
  firstTryMs?: number;
  firstPauseMs?: number;
}): CrmGate {
  let problem: string | null = "it is being prepared";
  let last: CrmUnavailable | CrmMisconfigured | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let openNow: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (openNow = resolve));

  const attempt = async (pauseMs: number): Promise<void> => {
    try {
      if (prepares) await adapter.prepare();
      await adapter.check();
    } catch (cause) {
      if (!(cause instanceof CrmUnavailable) && !(cause instanceof CrmMisconfigured)) throw cause;
      problem = cause.message;
      last = cause;
      const advice = adviceOnCrm(adapter.name, cause);
      const facts = {
        crm: adapter.name,
        problem,
        nextTryInMs: pauseMs,
        ...(advice === null ? {} : { advice }),
      };
      if (cause instanceof CrmMisconfigured) log.error(facts, "crm.misconfigured");
      else log.warn(facts, "crm.not_reached");
      if (!isStopped) timer = setTimeout(() => void retry(pauseMs), pauseMs);
      return;
    }
    problem = null;
    log.info({ crm: adapter.name }, "crm.ready");
    openNow();
  };
  const retry = (pauseMs: number): Promise<void> => {
    const nextPauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    return attempt(nextPauseMs).catch((cause: unknown) => unforeseen(cause, nextPauseMs));
  };
  /** A later try may go well all the same, and nobody waits for this one any more who could be told. */
  const unforeseen = (cause: unknown, pauseMs: number): void => {
    log.error({ err: cause, nextTryInMs: pauseMs }, "crm.prepare_failed");
    problem = "it could not be prepared; the log says why";
    last = null;
    if (!isStopped) timer = setTimeout(() => void retry(pauseMs), pauseMs);
  };

  const notReady = (why: string): CrmUnavailable =>
    new CrmUnavailable(`The CRM is not ready: ${why}`, { code: "NotReady", ...(last && { cause: last }) });

  return {
    adapter: gated(adapter, () => {
      if (problem !== null) throw notReady(problem);
    }),
    open: async () => {
      const first = attempt(firstPauseMs);
      const soon = new AbortController();
      const late = pause(firstTryMs, undefined, { signal: soon.signal }).catch(() => undefined);
      await Promise.race([first, late]).finally(() => soon.abort());
      first.catch((cause: unknown) => unforeseen(cause, firstPauseMs));
    },
    isOpen: () => problem === null,
    problem: () => {
      if (problem === null) return null;
      const error = notReady(problem);
      return [error.message, last && adviceOnCrm(adapter.name, last)].filter(Boolean).join(". ");
    },
    whenOpen: () => opened,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
      openNow();
    },
  };
}

function gated(adapter: CrmAdapter, pass: () => void): CrmAdapter {
  const behind =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      pass();
      return call(...args);
    };
  const { documents, clients } = adapter;
  const sessionIdOf = adapter.sessionIdOf?.bind(adapter);
  return {
    name: adapter.name,
    check: behind(() => adapter.check()),
    prepare: (tell) => adapter.prepare(tell),
    close: () => adapter.close(),
    upsertSession: behind((session, position) => adapter.upsertSession(session, position)),
    noteSession: behind((sessionId, notes) => adapter.noteSession(sessionId, notes)),
    upsertContacts: behind((batch) => adapter.upsertContacts(batch)),
    upsertChats: behind((batch) => adapter.upsertChats(batch)),
    upsertMessages: behind((batch) => adapter.upsertMessages(batch)),
    changeMessages: behind((batch) => adapter.changeMessages(batch)),
    mergeContact: behind((merge) => adapter.mergeContact(merge)),
    totals: behind((sessionId) => adapter.totals(sessionId)),
    chatDigests: behind((sessionId, chatIds) => adapter.chatDigests(sessionId, chatIds)),
    ...(sessionIdOf === undefined ? {} : { sessionIdOf: behind(sessionIdOf) }),
    ...(clients === undefined
      ? {}
      : {
          clients: {
            find: behind((by) => clients.find(by)),
            create: behind((client) => clients.create(client)),
            update: behind((id, changes) => clients.update(id, changes)),
          },
        }),
    ...(documents === undefined
      ? {}
      : {
          documents: {
            doctypes: documents.doctypes,
            list: behind((query) => documents.list(query)),
            count: behind((query) => documents.count(query)),
            get: behind((doctype, name) => documents.get(doctype, name)),
          },
        }),
  };
}
