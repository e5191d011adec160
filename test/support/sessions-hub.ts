/** Sessions on the real connector, the real store and the emulator, in this process; everything a hub has but the surface. */
import "../../hub/whatsapp/signal-hardening.ts";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock, type Clock } from "../../hub/core/clock.ts";
import type { Log } from "../../hub/core/log.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import type { SessionState } from "../../hub/core/session-state.ts";
import type { Session } from "../../hub/core/session.ts";
import type { Store } from "../../hub/core/store.ts";
import { createIngest } from "../../hub/inbox/ingest.ts";
import { createLogins } from "../../hub/sessions/logins.ts";
import type { Schedule } from "../../hub/sessions/schedule.ts";
import { createSessions, type Sessions } from "../../hub/sessions/sessions.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import type { WatchTiming } from "../../hub/sessions/watch.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { createBaileysConnector } from "../../hub/whatsapp/baileys-connector.ts";
import type { ConnectionTiming } from "../../hub/whatsapp/connection.ts";
import { reasonOf } from "../../hub/whatsapp/disconnect.ts";
import type { Emulator } from "../whatsapp/emulator.ts";
import { until } from "./until.ts";

export interface SessionsHub {
  sessions: Sessions;
  store: Store;
  /** Where its database lies, and what its logins are sealed with. */
  folder: string;
  masterKey: Uint8Array;
  /** Links a number by scanning the code, and waits until the session is connected. */
  linked(sessionId: string, account: string): Promise<Session>;
  reaches(sessionId: string, state: SessionState): Promise<Session>;
  /** Events of a session as `name state`. */
  news(sessionId: string): Promise<string[]>;
  /** Stops, and starts on the same data. */
  startAgain(between?: (folder: string) => void | Promise<void>): Promise<void>;
}

export async function openSessionsHub(
  emulator: Emulator,
  {
    watch,
    timing,
    schedule,
    clock = systemClock,
    onOpened = () => {},
  }: {
    watch?: Partial<WatchTiming>;
    timing?: ConnectionTiming;
    /** What sessions go by; connections and the store go by the system's clock all the same. */
    schedule?: Schedule;
    clock?: Clock;
    onOpened?: (sessionId: string) => void;
  } = {},
): Promise<SessionsHub> {
  const folder = await mkdtemp(join(tmpdir(), "sessions-hub-"));
  const masterKey = randomBytes(32);

  async function start(): Promise<{ store: Store; sessions: Sessions }> {
    const store = await openStore({
      dataDir: folder,
      publicUrl: "http://hub.example",
      clock: systemClock,
      log: silent,
    });
    const vault = await createVault({ masterKey, keys: store.vault });
    const nudge = createNudge();
    const connector = createBaileysConnector({
      auth: store.auth,
      intake: store.intake,
      inbox: store.inbox,
      cipher: (scope) => vault.cipher(scope),
      record: createIngest({ inbox: store.inbox, clock: systemClock, nudge }),
      webSocketUrl: emulator.wsUrl,
      clock: systemClock,
      log: silent,
      ...(timing === undefined ? {} : { timing }),
    });
    const sessions = createSessions({
      store: store.sessions,
      connector,
      logins: createLogins({
        auth: store.auth,
        keys: store.vault,
        vault,
        dir: join(folder, "vault"),
        clock: systemClock,
      }),
      reasonOf,
      canary: () => store.canary(),
      clock,
      isClockTrusted: () => true,
      nudge,
      log: silent,
      jidForm: "c.us",
      onOpened,
      ...(schedule === undefined ? {} : { schedule }),
      ...(watch === undefined
        ? {}
        : { watchdog: { intake: store.intake, inbox: store.inbox, restart: null, timing: watch } }),
    });
    return { store, sessions };
  }

  const hub: SessionsHub = {
    ...(await start()),
    folder,
    masterKey,
    linked: async (sessionId, account) => {
      await hub.sessions.create({ sessionId });
      await hub.sessions.connect(sessionId);
      const { qr } = await hub.sessions.qr(sessionId, 10_000);
      await emulator.scanQr(qr, account);
      return hub.reaches(sessionId, "connected");
    },
    reaches: (sessionId, state) =>
      until(`${sessionId} to be ${state}`, async () => {
        const session = await hub.sessions.get(sessionId);
        return session.state === state && (state !== "connected" || session.lostAt === null) ? session : null;
      }),
    news: async (sessionId) => {
      const rows = await hub.store.events.after({ after: 0, limit: 1000, sessions: [sessionId] });
      return rows
        .map(({ body }) => JSON.parse(body) as { event: string; data: Record<string, unknown> })
        .filter(({ event }) => event.startsWith("session."))
        .map(({ event, data }) => `${event} ${String(data["state"] ?? data["status"])}`);
    },
    startAgain: async (between) => {
      await hub.sessions.stop();
      await hub.store.close();
      await between?.(folder);
      Object.assign(hub, await start());
      await hub.sessions.restoreAll();
    },
  };
  onTestFinished(async () => {
    await hub.sessions.stop();
    await hub.store.close();
    await rm(folder, { recursive: true, force: true });
  });
  return hub;
}

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Its folder and keys, as the commands of operators want them. */
export const folderOf = ({ folder, masterKey }: SessionsHub) => ({
  dataDir: folder,
  masterKey: Buffer.from(masterKey).toString("hex"),
  masterKeyPrevious: null,
  masterKeyFile: null,
  jidForm: "c.us" as const,
});

/** What was said in session "s1", oldest first. */
export const textsOf = async ({ store }: SessionsHub): Promise<string[]> => {
  const page = await store.inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 1000 });
  return page.items.map(({ content }) => content);
};
