/**
 * Looks contacts up that somebody wants to know about: one after the other, slowly, and only so many a day, because an account
 * that asks much looks like a machine. What waits is lost with the process, the connection or a restriction: whoever
 * wants to know asks again.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Contact } from "../core/chat.ts";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { isGroupJid, isLidJid, isPhoneJid, type Jid } from "../core/jid.ts";
import type { Log } from "../core/log.ts";
import type { Session } from "../core/session.ts";
import type { InboxStore } from "../core/store.ts";
import type { Contacts } from "./contacts.ts";
import type { Ingest } from "./ingest.ts";
import { isLookedUp } from "./pictures.ts";
import type { Sending } from "./send.ts";

const EVERY_MS = 2_000;
/** A little more each time: machines are regular, people are not. */
const JITTER = 0.5;
const PER_DAY = 500;
const MAX_WAITING = 1_000;
const DAY_MS = 24 * 60 * 60 * 1000;

export interface Profiles {
  /** Somebody looked at this contact: it is looked up soon, unless it was within a day. */
  want(contact: Contact): void;
  stop(): Promise<void>;
  /** For tests: nothing waits, nothing is asked. */
  idle(): Promise<void>;
}

export interface ProfilesParts {
  inbox: Pick<InboxStore, "contact">;
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
  random?: () => number;
}

interface Account {
  waiting: Set<Jid>;
  running: Promise<void> | null;
  /** Number of the day, and how many were asked for on it. */
  day: number;
  asked: number;
}

export function startProfiles(parts: ProfilesParts): Profiles {
  const { inbox, contacts, ingest, sessions, sending, isOn, clock, log } = parts;
  const { everyMs = EVERY_MS, perDay = PER_DAY, random = Math.random } = parts;
  const stopping = new AbortController();
  const accounts = new Map<string, Account>();
  /** When each was asked for in vain. */
  const failed = new Map<string, number>();

  const accountOf = (sessionId: string): Account => {
    const account = accounts.get(sessionId) ?? { waiting: new Set<Jid>(), running: null, day: 0, asked: 0 };
    accounts.set(sessionId, account);
    const today = Math.floor(clock.now().getTime() / DAY_MS);
    if (account.day !== today) Object.assign(account, { day: today, asked: 0 });
    return account;
  };

  const mayAsk = async (sessionId: string): Promise<boolean> =>
    (await sessions.get(sessionId)).state === "connected" &&
    (await sending.restrictionOf(sessionId)) === null;

  const noteFailure = (name: string): void => {
    const now = clock.now().getTime();
    for (const [other, at] of failed) {
      if (now - at < DAY_MS) break; // the oldest come first
      failed.delete(other);
    }
    failed.delete(name);
    failed.set(name, now);
  };

  const ask = async (sessionId: string, jid: Jid): Promise<void> => {
    const contact = await inbox.contact(sessionId, jid);
    if (contact === null || isLookedUp(contact, clock.now())) return;
    accountOf(sessionId).asked += 1;
    await contacts.refresh(contact);
  };

  /** True when it was the matter of this one alone. */
  const concede = (sessionId: string, jid: Jid, error: unknown): boolean => {
    const { code, details = {} } = error instanceof HubError ? error : { code: "INTERNAL_ERROR" };
    log.info({ sessionId, code }, "profile.not_looked_up");
    // WhatsApp wants fewer questions.
    if (details["whatsappCode"] === 429) accountOf(sessionId).asked = perDay;
    if (code !== "WHATSAPP_ERROR" && code !== "MEDIA_ERROR") return false;
    noteFailure(`${sessionId} ${jid}`);
    return true;
  };

  /** False: no more of this account for now. */
  const tryOne = async (sessionId: string, jid: Jid): Promise<boolean> => {
    try {
      if (accountOf(sessionId).asked >= perDay || !(await mayAsk(sessionId))) return false;
      await ask(sessionId, jid);
      return true;
    } catch (error) {
      return concede(sessionId, jid, error);
    }
  };

  /** False when it was cut short by the end of the hub. */
  const rest = (): Promise<boolean> =>
    pause(everyMs * (1 + JITTER * random()), true, { signal: stopping.signal, ref: false }).catch(
      () => false,
    );

  const work = async (sessionId: string, account: Account): Promise<void> => {
    const { waiting } = account;
    // What is added meanwhile has its turn as well.
    for (const jid of waiting) {
      if (!(await rest())) return;
      waiting.delete(jid);
      if (!(await tryOne(sessionId, jid))) waiting.clear();
    }
    account.running = null;
  };

  const queue = (sessionId: string, jid: Jid): void => {
    const account = accountOf(sessionId);
    if (!isOn || stopping.signal.aborted || account.asked >= perDay || account.waiting.size >= MAX_WAITING)
      return;
    account.waiting.add(jid);
    account.running ??= work(sessionId, account);
  };

  const leave = ingest.onRecorded((sessionId, facts) => {
    for (const fact of facts)
      if (fact.kind === "profile" && fact.lookedUpAt === null) queue(sessionId, fact.jid);
  });
  const idle = async (): Promise<void> => {
    for (const { running } of accounts.values()) await running;
  };

  return {
    want: (contact) => {
      const { sessionId, jid } = contact;
      const now = clock.now();
      const lastFailure = failed.get(`${sessionId} ${jid}`) ?? 0;
      const isKnown = isLookedUp(contact, now) || now.getTime() - lastFailure < DAY_MS;
      if (!isKnown && (isPhoneJid(jid) || isLidJid(jid) || isGroupJid(jid))) queue(sessionId, jid);
    },
    stop: async () => {
      leave();
      stopping.abort();
      await idle();
    },
    idle,
  };
}
