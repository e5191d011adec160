/**
 * How many webhooks a bridge verifies, applies and answers in a second with its own SQLite as the CRM, beside a bare server that
 * commits one row for each; and how long one waits when they come steadily.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventBody, makeSecret, sign, type HubEvent } from "../../hub/contract/index.ts";
import { presentMessageEvent, withSession } from "../../hub/core/present.ts";
import { openBridgeSite } from "../../test/support/bridge-site.ts";
import { aMessage, aSession } from "../../test/support/builders.ts";
import { cpuSeconds } from "../../test/support/process-figures.ts";
import { freePort } from "../../test/support/product-process.ts";
import { bareSeconds, type BarePost } from "./bare-posts.ts";
import { benchRow, type BenchRow } from "./row.ts";

const CONCURRENCY = 16;
const CHATS = 500;
const SLICES = 5;
const SLICE = 2_000;
const WARM_UP = 2_000;
const STEADY_PER_SECOND = 200;
const STEADY_SECONDS = 10;

export async function benchReceive(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-bench-receive-"));
  const secret = makeSecret();
  const floor = await startFloor(join(folder, "floor.db"));
  const bridge = await openBridgeSite({
    dir: join(folder, "bridge"),
    env: {
      // Nobody answers there: what is measured needs no hub.
      BRIDGE_HUB_URL: `http://127.0.0.1:${await freePort()}`,
      BRIDGE_HUB_API_KEY: "unused",
      BRIDGE_WEBHOOK_SECRET: secret,
    },
  });
  try {
    const life = await bridge.start();
    if (life === null) throw new Error("the bridge did not start");
    const url = new URL(`${bridge.url}/webhook`);
    const next = postsSignedBy(secret);
    const spent = { bridge: 0, bare: 0 };
    await bareSeconds(next(WARM_UP), { url, concurrency: CONCURRENCY });
    await bareSeconds(next(WARM_UP), { url: floor.url, concurrency: CONCURRENCY });
    const cpuBefore = cpuSeconds(life.pid);
    // In turns, so that whatever else the machine does meets both alike.
    for (let slice = 0; slice < SLICES; slice += 1) {
      spent.bridge += await bareSeconds(next(SLICE), { url, concurrency: CONCURRENCY });
      spent.bare += await bareSeconds(next(SLICE), { url: floor.url, concurrency: CONCURRENCY });
    }
    const cpuMs = ((cpuSeconds(life.pid) - cpuBefore) * 1000) / (SLICES * SLICE);
    console.error(`  ${cpuMs.toFixed(2)} ms of CPU for each webhook`);
    const waits = await steadily(next(STEADY_PER_SECOND * STEADY_SECONDS), url);
    const sent = WARM_UP + SLICES * SLICE + waits.length;
    const isWhole = (await bridge.crm.count("WhatsApp Message")) === sent;
    const speed = benchRow({
      name: `receive: webhooks verified and applied into SQLite, ${CONCURRENCY} at a time`,
      figure: (SLICES * SLICE) / spent.bridge,
      unit: "1/s",
      floor: (SLICES * SLICE) / spent.bare,
      bar: { atLeast: 1000 },
    });
    return [
      { ...speed, holds: speed.holds && isWhole },
      benchRow({
        name: `receive: p99 at a steady ${STEADY_PER_SECOND}/s`,
        figure: waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? NaN,
        unit: "ms",
        bar: { atMost: 50 },
      }),
    ];
  } finally {
    floor.stop();
    await bridge.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

async function startFloor(file: string): Promise<{ url: URL; stop(): void }> {
  const child = fork(fileURLToPath(new URL("./receive-floor.ts", import.meta.url)), [file]);
  const [hello] = (await once(child, "message")) as [{ port: number }]; // what the floor sends first
  return { url: new URL(`http://127.0.0.1:${hello.port}/`), stop: () => child.disconnect() };
}

/** Makes the next so many webhooks, as the hub sends them: one message each, in so many chats, numbered without a gap. */
function postsSignedBy(secret: string): (count: number) => BarePost[] {
  const session = aSession({ id: 1 });
  const view = { jidForm: "c.us", ownNumber: "34600999888", publicUrl: "http://127.0.0.1" } as const;
  let seq = 0;
  const post = (): BarePost => {
    seq += 1;
    const message = aMessage({
      chatId: `34600${String(100_000 + (seq % CHATS))}@s.whatsapp.net`,
      timestamp: 1_750_000_000 + seq,
      content: `message ${seq} of a customer who writes a lot`,
    });
    const event: HubEvent = {
      id: `evt_${String(seq).padStart(26, "0")}`,
      seq,
      event: "message.received",
      sessionId: session.sessionId,
      timestamp: new Date().toISOString(),
      data: withSession(session, { message: presentMessageEvent(message, view) }),
    };
    const text = eventBody(event);
    const body = Buffer.from(text);
    const timestamp = Math.floor(Date.now() / 1000);
    return {
      body,
      headers: {
        "content-type": "application/json",
        "content-length": String(body.length),
        "webhook-id": event.id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": sign([secret], { id: event.id, timestamp, body: text }),
      },
    };
  };
  return (count) => Array.from({ length: count }, post);
}

/** One after the other at its moment, whether those before were answered or not; how long each took from that moment, in ms. */
async function steadily(posts: BarePost[], url: URL): Promise<number[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  const startedAt = performance.now();
  const waits: Promise<number>[] = [];
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = ((performance.now() - startedAt) / 1000) * STEADY_PER_SECOND;
      while (waits.length < Math.min(due, posts.length)) {
        const at = startedAt + (waits.length * 1000) / STEADY_PER_SECOND;
        const one = posts[waits.length];
        if (one !== undefined) waits.push(answered(one, { url, agent }).then(() => performance.now() - at));
      }
      if (waits.length < posts.length) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  const all = await Promise.all(waits);
  agent.destroy();
  return all;
}

const answered = (
  { body, headers }: BarePost,
  { url, agent }: { url: URL; agent: http.Agent },
): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.on("end", resolve);
    });
    request.on("error", reject);
    request.end(body);
  });
