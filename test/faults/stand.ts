/**
 * What a row of the fault table stands on: WhatsApp and a CRM in this process, so that a kill can strike in the very tick
 * in which they see something, and a hub as a process that is killed and started again on the same folder.
 */
import { rmSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecret } from "../../hub/contract/signature.ts";
import { startFakeCrm, type FakeCrm } from "../support/fake-crm.ts";
import { createHubClient, type HubClient } from "../support/hub-client.ts";
import { newApiKey, startHubProcess, type HubProcess } from "../support/hub-process.ts";
import { StartError, type User } from "../support/product-process.ts";
import { until } from "../support/until.ts";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import type { NewAccountRequest } from "../whatsapp/operations/accounts.ts";
import { TRUST_PRELOAD } from "../whatsapp/spawn.ts";

const CRASHING = "test/support/crashing-hub.mjs";
const START_LIMIT_MS = 60_000;
/** A few people and two groups; no history, so that all that arrives is what the row lets arrive. */
const ACCOUNT: NewAccountRequest = {
  preset: "small",
  size: { contacts: 8, chats: 8, groups: 2, messages: 0, activeChats: 0 },
};

export interface StartOptions {
  /** `<point>:<n>`: the hub ends itself there. */
  crashAt?: string;
  /** Further options of node, and settings by their names. */
  nodeOptions?: string[];
  env?: Record<string, string>;
  /** Whose process the hub is; at the first start, the folder is made theirs. Needs root. */
  user?: User;
}

export interface LinkedAccount {
  sessionId: string;
  number: string;
  /** Numbers of the address book. */
  people: string[];
  groups: { id: string; members: string[] }[];
}

export interface Stand {
  emulator: Emulator;
  crm: FakeCrm;
  dataDir: string;
  /** The running hub. */
  hub(): HubProcess;
  client: HubClient;
  /** Null: it ended (was killed) before it was ready. */
  start(options?: StartOptions): Promise<{ readyMs: number } | null>;
  /** How long another hub takes to start on a folder that is empty; it is gone when this resolves. */
  ordinaryStartMs(): Promise<number>;
  /** Whether the hub that was started last has ended. */
  isDown(): boolean;
  kill(): Promise<void>;
  /** Creates a session and lets a new account's phone scan its code. */
  link(sessionId: string, request?: NewAccountRequest): Promise<LinkedAccount>;
  accounts(): LinkedAccount[];
  /** Resolves when the account's device is logged in and has asked for its messages. */
  online(account: LinkedAccount): Promise<void>;
  stop(): Promise<void>;
}

export async function openStand(): Promise<Stand> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-faults-"));
  const dataDir = join(folder, "data");
  const secret = makeSecret();
  const apiKey = newApiKey();
  const emulator = await startEmulator();
  const crm = await startFakeCrm({ secret });
  const linked: LinkedAccount[] = [];
  let running: HubProcess | null = null;
  let isDown = true;
  // A run that is broken off leaves nothing behind either.
  const clean = (): void => {
    void running?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", clean);
  // Taken once, so that clients and media URLs outlive a restart.
  let port = 0;

  async function handOver(user: User | undefined): Promise<void> {
    if (user === undefined) return;
    await mkdir(dataDir, { recursive: true });
    if (port === 0) await chown(dataDir, user.uid, user.gid);
    await chmod(folder, 0o711);
  }

  async function start({ crashAt, nodeOptions = [], env = {}, user }: StartOptions = {}): Promise<{
    readyMs: number;
  } | null> {
    const since = performance.now();
    await handOver(user);
    try {
      const started = await startHubProcess({
        dataDir,
        apiKey,
        port,
        env: {
          WHATSAPP_EMULATOR_URL: emulator.url,
          WA_WEB_SOCKET_URL: emulator.wsUrl,
          ...(crashAt === undefined ? {} : { HUB_CRASH_AT: crashAt }),
          ...env,
        },
        nodeOptions: ["--import", TRUST_PRELOAD, ...nodeOptions],
        ...(crashAt === undefined ? {} : { entry: CRASHING }),
        ...(user === undefined ? {} : { user }),
        readyTimeoutMs: START_LIMIT_MS,
      });
      const readyMs = performance.now() - since;
      running = started;
      isDown = false;
      void started.exited.then(() => {
        if (running === started) isDown = true;
      });
      // A lane for each chat: several at a time are on their way when the hub is struck.
      if (port === 0)
        await client.post("/api/endpoints", { url: crm.url, secret, events: ["*"], ordering: "chat" });
      port = Number(new URL(started.url).port);
      return { readyMs };
    } catch (cause) {
      if (crashAt !== undefined && cause instanceof StartError && cause.ending === "SIGKILL") return null;
      throw cause;
    }
  }

  const hub = (): HubProcess => {
    if (running === null) throw new Error("no hub was started");
    return running;
  };
  const client: HubClient = {
    get: (path) => createHubClient(hub()).get(path),
    post: (path, body, headers) => createHubClient(hub()).post(path, body, headers),
    put: (path, body) => createHubClient(hub()).put(path, body),
    delete: (path) => createHubClient(hub()).delete(path),
  };

  return {
    emulator,
    crm,
    dataDir,
    hub,
    client,
    start,
    ordinaryStartMs: async () => {
      const since = performance.now();
      const other = await startHubProcess({ dataDir: join(folder, "other"), readyTimeoutMs: START_LIMIT_MS });
      const readyMs = performance.now() - since;
      await other.kill();
      await rm(join(folder, "other"), { recursive: true, force: true });
      return readyMs;
    },
    isDown: () => isDown,
    kill: async () => {
      await running?.kill("SIGKILL");
      isDown = true;
    },
    link: async (sessionId, request = ACCOUNT) => {
      const { number, groups } = emulator.createAccount(request);
      await client.post("/api/sessions", { sessionId });
      await client.post(`/api/sessions/${sessionId}/connect`);
      const { qr } = await client.get<{ qr: string }>(`/api/sessions/${sessionId}/qr`);
      const { outcome } = await emulator.scanQr(qr, number);
      if (outcome !== "paired") throw new Error(`account ${number} was not paired`);
      const account = {
        sessionId,
        number,
        people: emulator.contacts(number).map((person) => person.number),
        groups: groups.map(({ id }) => ({
          id,
          members: emulator.group(id).members.filter((member) => member !== number),
        })),
      };
      linked.push(account);
      await until(`${sessionId} connected`, async () => {
        const status = await client.get<{ isConnected: boolean }>(`/api/sessions/${sessionId}/status`);
        return status.isConnected && emulator.account(number).devices.every(({ queued }) => queued === 0);
      });
      return account;
    },
    accounts: () => linked,
    online: async ({ number }) => {
      await until(`account ${number} online`, () => isOnline(emulator, number), { everyMs: 5 });
    },
    stop: async () => {
      process.off("exit", clean);
      await running?.kill("SIGKILL");
      await Promise.all([emulator.stop(), crm.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const isOnline = (emulator: Emulator, number: string): boolean =>
  emulator.account(number).devices.some(({ online }) => online);
