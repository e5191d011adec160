/**
 * Messages to people who never wrote to the account: what WhatsApp restricts, counts, and takes accounts away for. They wait
 * where it forbids them and where the day's number of new chats is used up; everybody else is written to meanwhile.
 */
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { isLidJid, isPhoneJid, type Jid } from "../core/jid.ts";
import type { Log } from "../core/log.ts";
import type { SendStore } from "../core/store.ts";
import type { AccountNews, WhatsAppLink } from "../core/whatsapp.ts";
import {
  closedUntil,
  freeAt,
  lastDay,
  openedLately,
  stillTrue,
  type KnownAllowance,
  type Opened,
} from "./new-chats.ts";
import { openLink } from "./open-link.ts";
import type { Restriction, Restrictions } from "./restriction.ts";

const ASK_EVERY_MS = 3_600_000;
/** What waits looks all at once; what the store counts is the same for all of them. */
const SAME_LOOK_MS = 1_000;

/** Why a message has to wait, and until when. */
export interface Hold {
  cause: "restricted" | "new_chats";
  until: Date;
}

export interface ColdStanding {
  restriction: Restriction | null;
  newChats: {
    /** Of 24 hours; null for any number. */
    limit: number | null;
    /** In the last 24 hours. */
    opened: number;
    /** When the next may be opened; null for now. */
    freeAt: Date | null;
    /** WhatsApp's own number. */
    allowance: { total: number; used: number; until: Date | null } | null;
  };
}

export interface ColdSends {
  /** Why a message to this chat would have to wait; null when it need not. */
  holdOf(sessionId: string, chatId: Jid): Promise<Hold | null>;
  /** A person who never wrote to the account. */
  isStranger(sessionId: string, chatId: Jid): Promise<boolean>;
  /** As `holdOf`; a chat that need not wait counts as opened from now on. */
  open(sessionId: string, chatId: Jid): Promise<Hold | null>;
  standing(sessionId: string): Promise<ColdStanding>;
  /** Asks WhatsApp how the account stands; to be called at every open, and done hourly from then on. */
  ask(sessionId: string): Promise<void>;
  heard(sessionId: string, news: AccountNews): void;
  /** Another account, or none, goes on under this name. */
  forget(sessionId: string): void;
  stop(): void;
}

export interface ColdSendsParts {
  sends: Pick<SendStore, "acquaintance" | "opened">;
  restrictions: Restrictions;
  link: (sessionId: string) => WhatsAppLink;
  perDay: number;
  onChange: (sessionId: string) => void;
  clock: Clock;
  log: Log;
}

export function createColdSends(parts: ColdSendsParts): ColdSends {
  const { sends, restrictions, link, perDay, onChange, clock, log } = parts;
  const allowances = new Map<string, KnownAllowance>();
  /** Let through by this process; their messages may not have left yet. */
  const openedHere = new Map<string, Opened[]>();
  const stored = new Map<string, { at: number; opened: ReturnType<SendStore["opened"]> }>();
  const asked = new Set<string>();

  function storedIn(sessionId: string, now: number): ReturnType<SendStore["opened"]> {
    const known = stored.get(sessionId);
    // What this process let through since is in `openedHere`.
    if (known !== undefined && Math.abs(now - known.at) < SAME_LOOK_MS) return known.opened;
    const opened = sends.opened(sessionId, lastDay(now));
    stored.set(sessionId, { at: now, opened });
    opened.catch(() => stored.delete(sessionId)); // whoever asked hears of it; the next one reads again
    return opened;
  }

  const allowanceOf = (sessionId: string, now: number): KnownAllowance | null =>
    stillTrue(allowances.get(sessionId) ?? null, now);

  async function openedIn(sessionId: string, now: number): Promise<Opened[]> {
    const before = await storedIn(sessionId, now);
    const here = openedHere.get(sessionId) ?? [];
    return openedLately([...here, ...before.map(({ chatId, at }) => ({ chatId, at: at.getTime() }))], now);
  }

  async function look(sessionId: string, chatId: Jid, opens: boolean): Promise<Hold | null> {
    if (!isPerson(chatId)) return null;
    const known = await sends.acquaintance(sessionId, chatId);
    if (known === "heard") return null;
    const restriction = await restrictions.of(sessionId);
    if (restriction !== null) return { cause: "restricted", until: restriction.until };
    const now = clock.now().getTime();
    const allowance = allowanceOf(sessionId, now);
    const closed = closedUntil(allowance);
    if (closed !== null && closed > now) return { cause: "new_chats", until: new Date(closed) };
    return known === "written" ? null : openNew({ sessionId, chatId, now, allowance, opens });
  }

  async function openNew(asked: {
    sessionId: string;
    chatId: Jid;
    now: number;
    allowance: KnownAllowance | null;
    opens: boolean;
  }): Promise<Hold | null> {
    const { sessionId, chatId, now, allowance, opens } = asked;
    const opened = await openedIn(sessionId, now);
    // From here to the end nobody else gets a turn: two messages must not take the last place both.
    const here = openedHere.get(sessionId) ?? [];
    if ([...opened, ...here].some((one) => one.chatId === chatId)) return null;
    const openedSince = sinceAllowance(here, allowance);
    const free = freeAt(openedLately([...opened, ...here], now), { allowance, perDay, openedSince });
    if (free !== null && free > now) return { cause: "new_chats", until: new Date(free) };
    if (opens) openedHere.set(sessionId, openedLately([...here, { chatId, at: now }], now));
    return null;
  }

  function heard(sessionId: string, { restriction, allowance }: AccountNews): void {
    if (restriction !== undefined) restrictions.told(sessionId, restriction);
    if (allowance === undefined) return;
    allowances.set(sessionId, { ...allowance, at: clock.now().getTime() });
    onChange(sessionId);
  }

  async function ask(sessionId: string): Promise<void> {
    asked.add(sessionId);
    const current = openLink(link, sessionId);
    if (current === null) return;
    await answered(sessionId, async () => heard(sessionId, { restriction: await current.restriction() }));
    await answered(sessionId, async () => heard(sessionId, { allowance: await current.newChatAllowance() }));
  }

  async function answered(sessionId: string, question: () => Promise<void>): Promise<void> {
    try {
      await question();
    } catch (error) {
      // Not knowing changes nothing; the next hour asks again.
      if (!(error instanceof HubError)) throw error;
      log.info({ sessionId, code: error.code }, "account.standing_unknown");
    }
  }

  const hourly = setInterval(() => {
    for (const sessionId of asked)
      ask(sessionId).catch((err: unknown) => log.error({ sessionId, err }, "account.not_asked"));
  }, ASK_EVERY_MS);
  hourly.unref();

  return {
    isStranger: async (sessionId, chatId) =>
      isPerson(chatId) && (await sends.acquaintance(sessionId, chatId)) !== "heard",
    holdOf: (sessionId, chatId) => look(sessionId, chatId, false),
    open: (sessionId, chatId) => look(sessionId, chatId, true),
    standing: async (sessionId) => {
      const now = clock.now().getTime();
      const opened = await openedIn(sessionId, now);
      const allowance = allowanceOf(sessionId, now);
      const openedSince = sinceAllowance(openedHere.get(sessionId) ?? [], allowance);
      const free = closedUntil(allowance) ?? freeAt(opened, { allowance, perDay, openedSince });
      const counts = allowance !== null && allowance.total !== null;
      return {
        restriction: await restrictions.of(sessionId),
        newChats: {
          limit: counts || perDay === 0 ? null : perDay,
          opened: opened.length,
          freeAt: free !== null && free > now ? new Date(free) : null,
          allowance:
            allowance === null || allowance.total === null
              ? null
              : { total: allowance.total, used: allowance.used, until: allowance.until },
        },
      };
    },
    ask,
    heard,
    forget: (sessionId) => {
      for (const known of [allowances, openedHere, stored, asked]) known.delete(sessionId);
      restrictions.forget(sessionId);
    },
    stop: () => clearInterval(hourly),
  };
}

const isPerson = (chatId: Jid): boolean => isPhoneJid(chatId) || isLidJid(chatId);

const sinceAllowance = (here: Opened[], allowance: KnownAllowance | null): number =>
  allowance === null ? 0 : here.filter(({ at }) => at >= allowance.at).length;
