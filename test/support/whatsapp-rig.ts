/** One account on the real connector, the real store and the emulator, in this process: what the intake is tested with. */
import "../../hub/whatsapp/signal-hardening.ts";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../hub/core/clock.ts";
import type { Log } from "../../hub/core/log.ts";
import type { Message } from "../../hub/core/message.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import type { Recorded, Store } from "../../hub/core/store.ts";
import type { AccountNews, SessionSignal, WhatsAppConnector, WhatsAppLink } from "../../hub/core/whatsapp.ts";
import { createIngest, type Ingest, type IngestEntry } from "../../hub/inbox/ingest.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { createBaileysConnector } from "../../hub/whatsapp/baileys-connector.ts";
import type { ConnectionTiming } from "../../hub/whatsapp/connection.ts";
import type { Emulator } from "../whatsapp/emulator.ts";
import { aNewSession } from "./builders.ts";
import { until } from "./until.ts";

export interface WhatsAppRig {
  readonly sessionId: string;
  readonly signals: SessionSignal[];
  readonly lines: { level: string; event: string; facts: object }[];
  readonly recorded: IngestEntry[];
  store(): Store;
  /** The inbox's way in, of this life. */
  ingest(): Ingest;
  /** What WhatsApp says of the account itself. */
  onNews: (news: AccountNews) => void;
  connector(): WhatsAppConnector;
  link(): WhatsAppLink;
  /** Opens a connection and resolves with it; does not wait for anything. */
  open(): Promise<WhatsAppLink>;
  /** Opens, scans if asked to, restarts where WhatsApp wants it, and resolves once connected. */
  connect(): Promise<void>;
  /** Ends the process' knowledge without saying goodbye: socket cut, store reopened from its file. */
  crash(): Promise<void>;
  /** Makes the store throw (or lets it be again). */
  failWith(cause: Error | null): void;
  /** Throws out of the named crash point until cleared. */
  crashAt(point: string | null): void;
  messages(): Promise<Message[]>;
  texts(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function openWhatsAppRig(
  emulator: Emulator,
  {
    number,
    sessionId = "s1",
    inMemory = false,
    timing = {},
  }: { number: string; sessionId?: string; inMemory?: boolean; timing?: ConnectionTiming },
): Promise<WhatsAppRig> {
  const folder = await mkdtemp(join(tmpdir(), "whatsapp-rig-"));
  const file = inMemory ? ":memory:" : join(folder, "hub.db");
  const masterKey = randomBytes(32);
  const signals: SessionSignal[] = [];
  const lines: WhatsAppRig["lines"] = [];
  const recorded: IngestEntry[] = [];
  let failure: Error | null = null;
  let crashPoint: string | null = null;
  let current: WhatsAppLink | null = null;
  let store = await openStore();
  await store.sessions.create(
    aNewSession({ sessionId, state: "starting", phoneNumber: null, lid: null, connectedAt: null }),
  );
  let ingest = makeIngest();
  let connector = await makeConnector();

  function makeIngest(): Ingest {
    return createIngest({ inbox: store.inbox, clock: systemClock, nudge: createNudge() });
  }

  function openStore(): Promise<Store> {
    return openSqliteStore({ file, publicUrl: "http://hub.test", clock: systemClock });
  }

  async function makeConnector(): Promise<WhatsAppConnector> {
    const vault = await createVault({ masterKey, keys: store.vault });
    const { auth } = store;
    return createBaileysConnector({
      auth: {
        ...auth,
        commit: async (id, step) => {
          if (failure !== null) throw failure;
          await auth.commit(id, step);
        },
      },
      intake: store.intake,
      inbox: store.inbox,
      cipher: (scope) => vault.cipher(scope),
      record: async (entry): Promise<Recorded> => {
        if (failure !== null) throw failure;
        recorded.push(entry);
        return ingest(entry);
      },
      onNews: (_session, news) => rig.onNews(news),
      webSocketUrl: emulator.wsUrl,
      clock: systemClock,
      log: logInto(lines),
      timing,
      crashPoint: (name) => {
        if (name === crashPoint) throw new Error(`crash at ${name}`);
      },
    });
  }

  async function open(): Promise<WhatsAppLink> {
    await current?.close();
    current = await connector.open(sessionId, (signal) => void signals.push(signal));
    return current;
  }

  async function connect(): Promise<void> {
    for (let tries = 0; tries < 5; tries++) {
      const from = signals.length;
      await open();
      const heard = await until("a signal that decides", () =>
        signals.slice(from).find(({ type }) => type !== "pairing_code" && type !== "key_unreadable"),
      );
      if (heard.type === "opened") return;
      if (heard.type === "qr") await emulator.scanQr(heard.qr, number);
      else if (heard.type !== "restart_required") throw new Error(`not connected: ${JSON.stringify(heard)}`);
      const next = await until("the end of the pairing", () =>
        signals
          .slice(from)
          .find(({ type }) => type === "restart_required" || type === "closed" || type === "opened"),
      );
      if (next.type === "closed") throw new Error(`closed: ${JSON.stringify(next)}`);
    }
    throw new Error("never connected");
  }

  const rig: WhatsAppRig = {
    sessionId,
    signals,
    lines,
    recorded,
    store: () => store,
    ingest: () => ingest,
    onNews: () => undefined,
    connector: () => connector,
    link: () => {
      if (current === null) throw new Error("no link was opened");
      return current;
    },
    open,
    connect,
    crash: async () => {
      failure = new Error("the process is gone");
      await current?.close();
      current = null;
      await store.close();
      failure = null;
      crashPoint = null;
      store = await openStore();
      ingest = makeIngest();
      connector = await makeConnector();
    },
    failWith: (cause) => {
      failure = cause;
    },
    crashAt: (point) => {
      crashPoint = point;
    },
    messages: async () => {
      const page = await store.inbox.messages({ sessionId, order: "asc", page: 1, limit: 1000 });
      return page.items;
    },
    texts: async () => (await rig.messages()).map((message) => message.content),
    stop: async () => {
      await current?.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return rig;
}

function logInto(lines: WhatsAppRig["lines"]): Log {
  const at = (level: string) => (facts: object, event: string) => void lines.push({ level, event, facts });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
