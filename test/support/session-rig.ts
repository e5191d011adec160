/** Sessions with a puppet WhatsApp, a store, and time that a test moves by hand. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClockTrust } from "../../hub/core/clock-trust.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import type { Session } from "../../hub/core/session.ts";
import type { SessionStore, Store } from "../../hub/core/store.ts";
import { createLogins } from "../../hub/sessions/logins.ts";
import { createSessions, type Sessions, type SessionsParts } from "../../hub/sessions/sessions.ts";
import type { WatchdogParts } from "../../hub/sessions/runner-parts.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { reasonOf } from "../../hub/whatsapp/disconnect.ts";
import { onTestFinished } from "vitest";
import { manualTime, type ManualTime } from "./manual-time.ts";
import { createPuppetWhatsApp, type PuppetAccount, type PuppetWhatsApp } from "./puppet-whatsapp.ts";

export interface ToldEvent {
  event: string;
  sessionId: string;
  data: Record<string, unknown>;
}

export interface SessionRig {
  sessions: Sessions;
  whatsapp: PuppetWhatsApp;
  time: ManualTime;
  /** While true every write fails. */
  disk: { fails: boolean; canaries: number };
  /** Hears of each change of a session, with its figures. */
  onMoved: NonNullable<SessionsParts["onMoved"]>;
  /** Sessions that were told to send what waited. */
  opened: string[];
  store: Store;
  account(sessionId: string): PuppetAccount;
  /** The session as its row says. */
  row(sessionId: string): Promise<Session>;
  /** Events of a session since the last call, as `name state`. */
  news(sessionId: string): Promise<string[]>;
  /** All events of a session. */
  events(sessionId: string): Promise<ToldEvent[]>;
  states(sessionId: string): Promise<string[]>;
  pass(ms: number): Promise<void>;
  settle(): Promise<void>;
  /** The process is killed, and a new one starts on the same store and the same WhatsApp. */
  startAgain(): Promise<void>;
  /** A session that is linked and connected; what happened until then is not news. */
  connected(sessionId: string, phoneNumber?: string): Promise<PuppetAccount>;
}

/** Lets callbacks that are due run; for moments in which something hangs, so that rest would never come. */
export const aTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export async function openSessionRig({
  qrImage,
  watched = null,
}: {
  qrImage?: (qr: string) => Promise<string>;
  /** Open connections are watched, and the process may be started again by this. */
  watched?: { restart: WatchdogParts["restart"] } | null;
} = {}) {
  const time = manualTime();
  const whatsapp = createPuppetWhatsApp();
  const store = await openSqliteStore({
    file: ":memory:",
    publicUrl: "http://hub.example",
    clock: time.clock,
  });
  onTestFinished(() => store.close());
  const disk = { fails: false, canaries: 0 };
  const opened: string[] = [];
  const seen = new Map<string, number>();

  const guarded: SessionStore = {
    list: (options) => store.sessions.list(options),
    get: (sessionId) => store.sessions.get(sessionId),
    create: (session) => written(() => store.sessions.create(session)),
    save: (session, events, options) => written(() => store.sessions.save(session, events, options)),
    holdersOf: (phoneNumber, except) => store.sessions.holdersOf(phoneNumber, except),
    timeline: (sessionId, page) => store.sessions.timeline(sessionId, page),
    note: (sessionId, entry) => written(() => store.sessions.note(sessionId, entry)),
  };
  const written = <T>(work: () => Promise<T>): Promise<T> =>
    disk.fails ? Promise.reject(new Error("disk full")) : work();

  const isClockTrusted = createClockTrust({
    clock: time.clock,
    log: { warn: () => undefined },
    elapsed: () => time.elapsed(),
  });
  const start = (): Sessions =>
    createSessions({
      store: guarded,
      connector: whatsapp.connector,
      logins: createLogins({
        auth: store.auth,
        keys: store.vault,
        vault: {
          cipher: () => Promise.resolve({ seal: (_place, plain) => plain, open: (_place, sealed) => sealed }),
          renew: () => Promise.resolve(),
        },
        dir: join(tmpdir(), "session-rig-vault"),
        clock: time.clock,
      }),
      reasonOf,
      canary: () => {
        disk.canaries++;
        return written(() => Promise.resolve());
      },
      clock: time.clock,
      isClockTrusted,
      schedule: (ms, work) => time.schedule(ms, work),
      random: () => 0.5,
      nudge: createNudge(),
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      jidForm: "c.us",
      onOpened: (sessionId) => opened.push(sessionId),
      figures: store.figures,
      onMoved: (previous, next, figures) => rig.onMoved(previous, next, figures),
      ...(qrImage === undefined ? {} : { qrImage }),
      ...(watched === null
        ? {}
        : { watchdog: { intake: store.intake, inbox: store.inbox, restart: watched.restart } }),
    });

  const rig: SessionRig = {
    sessions: start(),
    whatsapp,
    time,
    disk,
    onMoved: () => undefined,
    opened,
    store,
    account: (sessionId) => whatsapp.account(sessionId),
    row: async (sessionId) => {
      const all = await store.sessions.list({ includeDeleted: true });
      const found = all.find((session) => session.sessionId === sessionId);
      if (found === undefined) throw new Error(`no row of ${sessionId}`);
      return found;
    },
    events: async (sessionId) => {
      await rig.settle();
      const rows = await store.events.after({ after: 0, limit: 1000, sessions: [sessionId] });
      // Bodies are what CRMs get: JSON of an event.
      return rows.map(({ body }) => JSON.parse(body) as ToldEvent);
    },
    news: async (sessionId) => {
      const all = await rig.events(sessionId);
      const fresh = all.slice(seen.get(sessionId) ?? 0);
      seen.set(sessionId, all.length);
      return fresh.map(({ event, data }) => `${event} ${String(data["state"] ?? data["status"])}`);
    },
    states: async (sessionId) => {
      const page = await store.sessions.timeline(sessionId, { limit: 100, page: 1 });
      return page.items.map(({ type }) => type).reverse();
    },
    pass: (ms) => time.pass(ms, () => rig.settle()),
    settle: async () => {
      // Twice: a puppet speaks a turn after it was opened.
      for (let turn = 0; turn < 2; turn++) {
        await aTurn();
        await rig.sessions.idle();
      }
    },
    startAgain: async () => {
      time.forgetTimers();
      whatsapp.dropsAll();
      rig.sessions = start();
      await rig.sessions.restoreAll();
      await rig.settle();
    },
    connected: async (sessionId, phoneNumber = "34600999888") => {
      const account = whatsapp.account(sessionId);
      await rig.sessions.create({ sessionId });
      await rig.sessions.connect(sessionId);
      await rig.settle();
      account.shows("qr", new Date(time.clock.now().getTime() + 60_000));
      account.isScanned();
      await rig.settle();
      account.opens({ phoneNumber });
      await rig.news(sessionId);
      return account;
    },
  };
  return rig;
}
