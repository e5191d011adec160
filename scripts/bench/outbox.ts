/** How fast a backlog reaches a healthy receiver, against a bare loop of posts; and what looking costs while it is down. */
import { fork, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cipher } from "../../hub/core/cipher.ts";
import { systemClock } from "../../hub/core/clock.ts";
import type { Log } from "../../hub/core/log.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import { presentMessageEvent } from "../../hub/core/present.ts";
import type { OutboxStore, Store } from "../../hub/core/store.ts";
import { createAddressGuard } from "../../hub/core/webhook-address.ts";
import { createDispatcher } from "../../hub/outbox/dispatcher.ts";
import { createEndpoints } from "../../hub/outbox/endpoints.ts";
import { webhookHeaders } from "../../hub/outbox/wire-headers.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { aMessage, aNewSession } from "../../test/support/builders.ts";
import { bareSeconds, type BarePost } from "./bare-posts.ts";
import { benchRow, type BenchRow } from "./row.ts";

const DELIVERIES = 100_000;
const CHATS = 500;
const CONCURRENCY = 4;
const SLICES = 10;
/** After each slice. */
const BARE_POSTS = 2500;
const POLLS = 500;
const SESSION = "s1";
const USER_AGENT = "InboxHub/bench";

const plain: Cipher = { seal: (_place, bytes) => bytes, open: (_place, bytes) => bytes };
const quiet: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: console.error,
};

export async function benchOutbox(): Promise<BenchRow[]> {
  const dir = await mkdtemp(join(tmpdir(), "hub-bench-outbox-"));
  const receiver = await startReceiver();
  const file = join(dir, "hub.db");
  const store = await openSqliteStore({ file, publicUrl: "http://127.0.0.1", clock: systemClock });
  try {
    return await measure(store, receiver);
  } finally {
    await store.close();
    receiver.child.disconnect();
    await rm(dir, { recursive: true, force: true });
  }
}

interface Receiver {
  child: ChildProcess;
  port: number;
  counts(): Promise<unknown>;
}

async function startReceiver(): Promise<Receiver> {
  const child = fork(fileURLToPath(new URL("./outbox-receiver.ts", import.meta.url)));
  const told = (): Promise<unknown> => new Promise((resolve) => child.once("message", resolve));
  const hello = await told();
  const port = typeof hello === "object" && hello !== null && "port" in hello ? Number(hello.port) : 0;
  return {
    child,
    port,
    counts: () => {
      const answer = told();
      child.send("counts");
      return answer;
    },
  };
}

async function measure(store: Store, receiver: Receiver): Promise<BenchRow[]> {
  const url = `http://127.0.0.1:${receiver.port}/hook`;
  const guard = createAddressGuard({ allowCidrs: [], allowedUrls: [url] });
  const endpoints = createEndpoints({
    store: store.endpoints,
    cipher: plain,
    guard,
    clock: systemClock,
    log: quiet,
    userAgent: USER_AGENT,
  });
  const { endpoint } = await endpoints.create({ url, concurrency: CONCURRENCY });
  await endpoints.pause(endpoint.id);
  await fill(store);
  const pollMs = await timePolls(store, endpoint.id);

  const settled = createCounter(store.outbox);
  const dispatcher = createDispatcher({
    outbox: settled.outbox,
    endpoints,
    guard,
    clock: systemClock,
    nudge: createNudge(),
    log: quiet,
    userAgent: USER_AGENT,
  });
  await dispatcher.start();

  // In turns with bare posts, so that whatever else the machine does meets both alike.
  const events = await store.events.after({ after: 0, limit: BARE_POSTS, sessions: "*" });
  const posts = events.map(({ seq, body: text }): BarePost => {
    const body = Buffer.from(text);
    const about = { eventId: `evt_${seq}`, event: "message.received", sessionId: SESSION, seq };
    const signing = endpoints.signing(endpoint);
    return {
      body,
      headers: webhookHeaders(
        { ...about, attempt: 1, replay: false, body },
        { endpoint, signing, userAgent: USER_AGENT, at: new Date() },
      ),
    };
  });
  const memory = watchMemory();
  const spent = { hub: 0, bare: 0 };
  for (let slice = 1; slice <= SLICES; slice += 1) {
    const startedAt = performance.now();
    const reached = settled.reaches((DELIVERIES / SLICES) * slice);
    await endpoints.resume(endpoint.id);
    await reached;
    await endpoints.pause(endpoint.id);
    await dispatcher.idle();
    spent.hub += (performance.now() - startedAt) / 1000;
    spent.bare += await bareSeconds(posts, { url: new URL("/bare", url), concurrency: CONCURRENCY });
  }
  const growthMb = memory.stop();
  await dispatcher.stop();
  const exact =
    JSON.stringify(await receiver.counts()) ===
    JSON.stringify({ requests: DELIVERIES, duplicated: 0, outOfOrder: 0 });

  const speed = benchRow({
    name: `outbox: ${DELIVERIES} waiting deliveries in ${CHATS} chats, each once and in order`,
    figure: DELIVERIES / spent.hub,
    unit: "1/s",
    floor: (SLICES * posts.length) / spent.bare,
    bar: { atLeast: 2000, ratioAtLeast: 0.6 },
  });
  return [
    { ...speed, holds: speed.holds && exact },
    benchRow({
      name: "outbox: growth of memory while they drain",
      figure: growthMb,
      unit: "MB",
      bar: { atMost: 150 },
    }),
    benchRow({
      name: "outbox: one poll while the endpoint is down",
      figure: pollMs,
      unit: "ms",
      bar: { atMost: 1 },
    }),
  ];
}

async function fill(store: Store): Promise<void> {
  await store.sessions.create(aNewSession({ sessionId: SESSION }));
  const view = { jidForm: "c.us", ownNumber: "34600999888", publicUrl: "http://127.0.0.1" } as const;
  for (let made = 0; made < DELIVERIES; made += CHATS)
    await store.events.append(
      SESSION,
      Array.from({ length: CHATS }, (_, chat) => {
        const chatId = `34600${String(100_000 + chat)}@s.whatsapp.net`;
        const content = `message ${made + chat} of a customer who writes a lot`;
        return {
          event: "message.received" as const,
          chatId,
          data: { message: presentMessageEvent(aMessage({ chatId, content }), view) },
          exceptClient: null,
          notBefore: null,
        };
      }),
      new Date(),
    );
}

/** A look at the backlog that ends with nothing sent: what each tick costs while a CRM is away. */
async function timePolls({ outbox }: Store, endpointId: string): Promise<number> {
  const now = new Date(Date.now() + 1000);
  const startedAt = performance.now();
  for (let poll = 0; poll < POLLS; poll += 1) {
    const due = await outbox.leaseDue({ endpointId, now, limit: 1 });
    outbox.release(due.map(({ laneId }) => laneId));
    await outbox.nextDueAt(endpointId);
  }
  return (performance.now() - startedAt) / POLLS;
}

/** The same outbox; tells when so many deliveries were settled. */
function createCounter(outbox: OutboxStore): { outbox: OutboxStore; reaches(count: number): Promise<void> } {
  let settled = 0;
  let wanted = Infinity;
  let tell = (): void => undefined;
  return {
    outbox: {
      ...outbox,
      settle: async (settlements, now) => {
        await outbox.settle(settlements, now);
        settled += settlements.length;
        if (settled >= wanted) tell();
      },
    },
    reaches: (count) =>
      new Promise((resolve) => {
        wanted = count;
        tell = resolve;
        if (settled >= count) resolve();
      }),
  };
}

const SAMPLE_MS = 100;
const MB = 1024 * 1024;

/** How far memory rises above where it is now. */
function watchMemory(): { stop(): number } {
  const start = process.memoryUsage.rss();
  let peak = start;
  const sampler = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(sampler);
      return (peak - start) / MB;
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await benchOutbox());
