/** How fast a backlog reaches a healthy receiver, against a bare loop of posts; and what looking costs while it is down. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cipher } from "../../hub/core/cipher.ts";
import { systemClock } from "../../hub/core/clock.ts";
import type { Log } from "../../hub/core/log.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import type { Store } from "../../hub/core/store.ts";
import { createAddressGuard } from "../../hub/core/webhook-address.ts";
import { createDispatcher } from "../../hub/outbox/dispatcher.ts";
import { createEndpoints, type Endpoints } from "../../hub/outbox/endpoints.ts";
import { webhookHeaders } from "../../hub/outbox/wire-headers.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { aMessage, aNewSession } from "../../test/support/builders.ts";
import { presentMessageEvent } from "../../hub/core/present.ts";
import type { BenchRow } from "./row.ts";

const DELIVERIES = 3000;
const CHATS = 500;
const CONCURRENCY = 4;
const FLOOR_POSTS = 3000;
const POLLS = 500;
const MIN_PER_SECOND = 2000;
const MIN_RATIO = 0.6;
const MAX_POLL_MS = 1;
const MAX_GROWTH_MB = 150;
const SESSION = "s1";
const SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

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
  const store = await openSqliteStore({
    file: join(dir, "hub.db"),
    publicUrl: "http://127.0.0.1",
    clock: systemClock,
  });
  try {
    return await measure({ store, receiver });
  } finally {
    await store.close();
    receiver.child.disconnect();
    await rm(dir, { recursive: true, force: true });
  }
}

interface Receiver {
  child: ChildProcess;
  port: number;
  ask(order: "counts" | "forget"): Promise<unknown>;
}

async function startReceiver(): Promise<Receiver> {
  const child = fork(fileURLToPath(new URL("./outbox-receiver.ts", import.meta.url)));
  const [hello]: unknown[] = await once(child, "message");
  const port = typeof hello === "object" && hello !== null && "port" in hello ? Number(hello.port) : 0;
  return {
    child,
    port,
    ask: async (order) => {
      child.send(order);
      const [answer]: unknown[] = await once(child, "message");
      return answer;
    },
  };
}

async function measure({ store, receiver }: { store: Store; receiver: Receiver }): Promise<BenchRow[]> {
  const url = `http://127.0.0.1:${receiver.port}/hook`;
  const guard = createAddressGuard({ allowCidrs: [], allowedUrls: [url] });
  const endpoints = createEndpoints({
    store: store.endpoints,
    cipher: plain,
    guard,
    clock: systemClock,
    log: quiet,
    userAgent: "InboxHub/bench",
  });
  const { endpoint } = await endpoints.create({ url, secret: SECRET, concurrency: CONCURRENCY });
  await store.sessions.create(aNewSession({ sessionId: SESSION }));
  const { createSender } = await import("../../hub/outbox/sender.ts");
  const { judge } = await import("../../hub/core/acknowledgement.ts");
  const sender = createSender(endpoint, guard);
  const signing = endpoints.signing(endpoint);
  const t = async (name: string, n: number, f: () => Promise<void>) => { const c = process.cpuUsage(), w = performance.now(); await f(); const u = process.cpuUsage(c); console.log(name.padEnd(28), "cpu", ((u.user+u.system)/1000/n).toFixed(3), "user", (u.user/1000/n).toFixed(3), "wall", ((performance.now()-w)/n).toFixed(3)); };
  for (let round = 0; round < 5; round += 1) {
    await fill(store);
    await t("floor", 3000, async () => { await postBare(store, endpoints, url); });
    const events = await store.events.after({ after: 0, limit: 1000, sessions: "*" });
    const ship = (i: number) => { const body = Buffer.from(events[i % 1000]!.body); return { eventId: "evt_" + i, event: "message.received", sessionId: SESSION, seq: i, attempt: 1, replay: false, body }; };
    const hs = webhookHeaders(ship(1), { endpoint, signing, userAgent: "x", at: new Date() });
    const four = async (one: (i: number) => Promise<unknown>) => { let i = 0; await Promise.all([0,1,2,3].map(async () => { while (i < 3000) await one(i++); })); };
    const b0 = ship(1).body; hs["content-length"] = String(b0.length);
    await t("sender.post", 3000, () => four(() => sender.post(b0, hs)));
    await t("headers only", 3000, async () => { for (let i = 0; i < 3000; i++) webhookHeaders(ship(i), { endpoint, signing, userAgent: "x", at: new Date() }); });
    await t("post+headers+judge", 3000, () => four(async (i) => { const s = ship(i); const e = await sender.post(s.body, webhookHeaders(s, { endpoint, signing, userAgent: "x", at: new Date() })); judge(e.answer, "body", new Date()); }));
    await t("lease+settle", 3000, async () => { for (;;) { const due = await store.outbox.leaseDue({ endpointId: endpoint.id, now: new Date(Date.now() + 1000), limit: 32 }); if (due.length === 0) return; await store.outbox.settle(due.map((d) => ({ n: d.n, laneId: d.laneId, patch: { state: "delivered" as const, attempts: 1, nextAttemptAt: null, lastStatus: 200, lastError: null, failure: null, doneAt: new Date() }, attempt: { n: 1, at: new Date(), ms: 3, status: 200, error: null, responseHead: '{"success":true}' } })), new Date()); } });
  }
  return [];
}

async function fill(store: Store): Promise<void> {
  const view = { jidForm: "c.us", ownNumber: "34600999888", publicUrl: "http://127.0.0.1" } as const;
  for (let made = 0; made < DELIVERIES; made += CHATS)
    await store.events.append(
      SESSION,
      Array.from({ length: CHATS }, (_, chat) => {
        const chatId = `34600${String(100_000 + chat)}@s.whatsapp.net`;
        const message = aMessage({
          chatId,
          content: `message ${made + chat} of a customer who writes a lot`,
        });
        return {
          event: "message.received" as const,
          chatId,
          data: { message: presentMessageEvent(message, view) },
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

/** The floor: the same bodies and headers, as many at a time, by nothing but node:http. */
async function postBare(store: Store, endpoints: Endpoints, written: string): Promise<number> {
  const url = new URL(written);
  const [endpoint] = await endpoints.list();
  if (endpoint === undefined) throw new Error("the endpoint is gone");
  const events = await store.events.after({ after: 0, limit: 1000, sessions: "*" });
  const bodies = events.map(({ body }) => Buffer.from(body));
  const headers = bodies.map((body, index) =>
    webhookHeaders(
      {
        eventId: `evt_${index}`,
        event: "message.received",
        sessionId: SESSION,
        seq: index,
        attempt: 1,
        replay: false,
        body,
      },
      { endpoint, signing: endpoints.signing(endpoint), userAgent: "InboxHub/bench", at: new Date() },
    ),
  );
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < FLOOR_POSTS) {
      const index = next++ % bodies.length;
      const body = bodies[index];
      const own = headers[index];
      if (body === undefined || own === undefined) return;
      await post(url, agent, body, own);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: CONCURRENCY }, loop));
  const seconds = (performance.now() - startedAt) / 1000;
  agent.destroy();
  return FLOOR_POSTS / seconds;
}

const post = (url: URL, agent: http.Agent, body: Buffer, headers: Record<string, string>): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    });
    request.on("error", reject);
    request.end(body);
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await benchOutbox());
