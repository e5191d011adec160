/**
 * Looks contacts up at WhatsApp: those that somebody looks at first, then those of sessions of which everybody shall be looked
 * up. One after the other, slowly, and only so many a day, because an account that asks much looks like a machine. What stops
 * it for a while (the day's number, a lost connection, a restriction) ends by itself, and then it goes on.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Contact } from "../core/chat.ts";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { Jid } from "../core/jid.ts";
import type { Log } from "../core/log.ts";
import type { Session } from "../core/session.ts";
import type { InboxStore, LookUpStore } from "../core/store.ts";
import type { Contacts } from "./contacts.ts";
import type { Ingest } from "./ingest.ts";
import { createLookUpCounts } from "./look-up-counts.ts";
import { hasProfile, startWalk, wasAskedLately, type LookUpWalk } from "./look-up-walk.ts";
import { PER_DAY, wasInVain } from "./pictures.ts";
import type { Sending } from "./send.ts";

const EVERY_MS = 2_000;
/** A little more each time: machines are regular, people are not. */
const JITTER = 0.5;
/** Of a day's number: the rest is for those that somebody looks at. */
const SHARE_OF_WALKS = 0.9;
const MAX_WAITING = 1_000;
const LOOK_AGAIN_MS = 60_000;
/** After a failure that is not the matter of one contact; twice as long after the next one. */
const BACK_OFF_MS = 60_000;
const MAX_BACK_OFF_MS = 60 * 60_000;
const DAY_MS = 24 * 60 * 60 * 1000;

export interface Profiles {
  /** Somebody looked at this contact: it is looked up soon, unless WhatsApp was asked about it within a day. */
  want(contact: Contact): void;
  /**
   * Everybody of this session who never was, or the `most` most recently active (null: all), is looked up in time, also after a
   * restart. Answers how many of them never were.
   */
  wantAll(sessionId: string, most: number | null): Promise<number>;
  stop(): Promise<void>;
  /** For tests: nothing is being asked, and what waits cannot go on now. */
  idle(): Promise<void>;
}

export interface ProfilesParts {
  inbox: Pick<InboxStore, "contact">;
  lookUps: LookUpStore;
  contacts: Pick<Contacts, "refresh">;
  ingest: Pick<Ingest, "onRecorded">;
  sessions: { get(sessionId: string): Promise<Pick<Session, "state">> };
  sending: Pick<Sending, "restrictionOf">;
  /** False: nothing is asked unless somebody wants to see a picture. */
  isOn: boolean;
  clock: Clock;
  log: Log;
  everyMs?: number;
  perDay?: number;
  lookAgainMs?: number;
  random?: () => number;
}

interface Account {
  /** Those that somebody looked at, in that order. */
  waiting: Set<Jid>;
  /** Through all the others; null when nobody ordered it. */
  walk: LookUpWalk | null;
  running: Promise<void> | null;
  /** The walk came to its end; when somebody may be asked about again (Unix milliseconds). */
  restsUntil: number;
  /** Number of the day on which WhatsApp wanted fewer questions. */
  refusedOn: number;
  /** Number of the day on which one too many waited. */
  overflowedOn: number;
  /** One after the other that were not the matter of one contact, and when the last one was (Unix milliseconds). */
  failures: number;
  failedAt: number;
}

export function startProfiles(parts: ProfilesParts): Profiles {
  const { inbox, lookUps, contacts, ingest, sessions, sending, isOn, clock, log } = parts;
  const { everyMs = EVERY_MS, perDay = PER_DAY, lookAgainMs = LOOK_AGAIN_MS, random = Math.random } = parts;
  const stopping = new AbortController();
  const accounts = new Map<string, Account>();
  const counts = createLookUpCounts({ lookUps, clock });

  const now = (): number => clock.now().getTime();
  const today = (): number => Math.floor(now() / DAY_MS);

  const accountOf = (sessionId: string): Account => {
    const account = accounts.get(sessionId) ?? {
      ...{ waiting: new Set<Jid>(), walk: null, running: null },
      ...{ restsUntil: 0, refusedOn: -1, overflowedOn: -1, failures: 0, failedAt: 0 },
    };
    accounts.set(sessionId, account);
    return account;
  };

  /** How many WhatsApp may still be asked about today; counted by the store, so that a new process does not begin again. */
  const leftToday = async (sessionId: string): Promise<{ forAnybody: number; forWalks: number }> => {
    const asked = await lookUps.asked(sessionId, clock.now());
    return { forAnybody: perDay - asked, forWalks: Math.floor(perDay * SHARE_OF_WALKS) - asked };
  };

  const mayAsk = async (sessionId: string, account: Account): Promise<boolean> =>
    account.refusedOn !== today() &&
    (await sessions.get(sessionId)).state === "connected" &&
    (await sending.restrictionOf(sessionId)) === null;

  /** Nobody is left of those that may be asked about now. */
  const endWalk = async (sessionId: string, account: Account, walk: LookUpWalk): Promise<void> => {
    if (account.walk !== walk) return; // another was ordered meanwhile
    account.restsUntil = walk.dueAt() ?? 0;
    account.walk = null;
    counts.forget(sessionId);
    if (account.restsUntil === 0) await lookUps.done(sessionId);
    log.info({ sessionId }, "profile.all_looked_up");
  };

  /** Who is asked about now, and what to do when that was done; null when nobody is. */
  const nextOf = async (
    sessionId: string,
    account: Account,
  ): Promise<{ jid: Jid; done: () => void } | null> => {
    const { forAnybody, forWalks } = await leftToday(sessionId);
    const [wanted] = account.waiting;
    if (wanted !== undefined && forAnybody > 0)
      return { jid: wanted, done: () => void account.waiting.delete(wanted) };
    const { walk } = account;
    if (walk === null || forWalks <= 0) return null;
    const jid = await walk.head();
    if (jid === null) await endWalk(sessionId, account, walk);
    return jid === null ? null : { jid, done: () => walk.passed() };
  };

  /** Whom WhatsApp was asked about waits for a day, whatever failed. @throws what may fail with others, too */
  const concede = async (sessionId: string, jid: Jid, error: unknown): Promise<void> => {
    const code = codeOf(error);
    if (error instanceof HubError && error.details?.["whatsappCode"] === 429)
      accountOf(sessionId).refusedOn = today();
    if (wasInVain(error)) await lookUps.failed(sessionId, jid, clock.now());
    if (code !== "WHATSAPP_ERROR" && code !== "MEDIA_ERROR") throw error;
    log.info({ sessionId, code }, "profile.not_looked_up");
  };

  const ask = async (sessionId: string, jid: Jid): Promise<void> => {
    const contact = await inbox.contact(sessionId, jid);
    if (contact === null || wasAskedLately(contact.askedAt, clock.now())) return;
    try {
      await contacts.refresh(contact);
      accountOf(sessionId).failures = 0;
    } catch (error) {
      await concede(sessionId, jid, error);
    }
  };

  /** False: nothing can be done for this account now. */
  const doOne = async (sessionId: string, account: Account): Promise<boolean> => {
    if (!(await mayAsk(sessionId, account))) return false;
    const next = await nextOf(sessionId, account);
    if (next === null) return false;
    await ask(sessionId, next.jid);
    next.done();
    return true;
  };

  /** False when it was cut short by the end of the hub. */
  const rest = (): Promise<boolean> =>
    pause(everyMs * (1 + JITTER * random()), true, { signal: stopping.signal, ref: false }).catch(
      () => false,
    );

  const isBackedOff = ({ failures, failedAt }: Account): boolean =>
    failures > 0 &&
    // A clock that was ahead, and is not any more, holds nobody back.
    Math.abs(now() - failedAt) < Math.min(BACK_OFF_MS * 2 ** (failures - 1), MAX_BACK_OFF_MS);

  const giveUp = async (sessionId: string, account: Account, error: unknown): Promise<false> => {
    const code = codeOf(error);
    log.info({ sessionId, code }, "profile.not_looked_up");
    if (code !== "SESSION_NOT_CONNECTED") {
      account.failures += 1;
      account.failedAt = now();
    }
    if (code !== "SESSION_NOT_FOUND") return false;
    accounts.delete(sessionId);
    await lookUps
      .done(sessionId)
      .catch((cause: unknown) => log.info({ code: codeOf(cause) }, "profile.wish_stays"));
    return false;
  };

  const work = async (sessionId: string, account: Account): Promise<void> => {
    let mayGoOn = await rest();
    while (mayGoOn)
      mayGoOn =
        (await doOne(sessionId, account).catch((error: unknown) => giveUp(sessionId, account, error))) &&
        (await rest());
    account.running = null;
  };

  const goOn = (sessionId: string, account: Account): void => {
    if (stopping.signal.aborted || isBackedOff(account)) return;
    if (account.waiting.size === 0 && account.walk === null) return;
    account.running ??= work(sessionId, account);
  };

  const queue = (sessionId: string, jid: Jid): void => {
    if (!isOn) return;
    const account = accountOf(sessionId);
    if (account.waiting.size < MAX_WAITING || account.waiting.has(jid)) account.waiting.add(jid);
    else if (account.overflowedOn !== today()) {
      account.overflowedOn = today();
      log.warn({ sessionId, waiting: MAX_WAITING }, "profile.too_many_wanted");
    }
    goOn(sessionId, account);
  };

  const walkThrough = (sessionId: string, most: number | null): void => {
    const account = accountOf(sessionId);
    if (account.walk?.covers(most) !== true) account.walk = startWalk({ sessionId, most, lookUps, clock });
    account.restsUntil = 0;
    goOn(sessionId, account);
  };

  /** What was ordered in an earlier life, and walks whose rest is over. */
  const takeUpWalks = async (): Promise<void> => {
    for (const { sessionId, most } of await lookUps.wanted()) {
      const { walk, restsUntil } = accountOf(sessionId);
      if (walk === null && restsUntil <= now()) walkThrough(sessionId, most);
    }
  };

  const lookAgain = async (): Promise<void> => {
    try {
      await takeUpWalks();
    } catch (error) {
      log.info({ code: codeOf(error) }, "profile.wishes_not_read");
    }
    for (const [sessionId, account] of accounts) goOn(sessionId, account);
  };
  let looking = Promise.resolve();
  const look = (): void => {
    looking = looking.then(lookAgain);
  };
  if (isOn) look();
  const timer = isOn ? setInterval(look, lookAgainMs).unref() : undefined;

  const leave = ingest.onRecorded((sessionId, facts) => {
    for (const fact of facts)
      if (fact.kind === "profile" && fact.lookedUpAt === null) queue(sessionId, fact.jid);
  });
  const idle = async (): Promise<void> => {
    await looking;
    for (const { running } of accounts.values()) await running;
  };

  return {
    want: (contact) => {
      const { sessionId, jid, askedAt } = contact;
      if (hasProfile(jid) && !wasAskedLately(askedAt, clock.now())) queue(sessionId, jid);
    },
    wantAll: async (sessionId, most) => {
      const left = isOn ? await counts.left(sessionId, most) : 0;
      if (left === 0) return 0;
      // Both in one turn: a walk that ends just now must not take this wish with its own.
      walkThrough(sessionId, most);
      const widest = await lookUps.want(sessionId, most);
      walkThrough(sessionId, widest);
      return left;
    },
    stop: async () => {
      leave();
      clearInterval(timer);
      stopping.abort();
      await idle();
    },
    idle,
  };
}

const codeOf = (error: unknown): string => (error instanceof HubError ? error.code : "INTERNAL_ERROR");
