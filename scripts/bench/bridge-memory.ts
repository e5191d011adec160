/** Memory of a bridge while it copies a hundred thousand contacts: it holds a page or two, however much there is. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecret } from "../../hub/contract/index.ts";
import type { Fact } from "../../hub/core/facts.ts";
import { openBridgeSite, type BridgeSite } from "../../test/support/bridge-site.ts";
import { residentMb } from "../../test/support/process-figures.ts";
import { freePort } from "../../test/support/product-process.ts";
import { startPuppetHub, type PuppetHub } from "../../test/support/puppet-hub.ts";
import { until } from "../../test/support/until.ts";
import { benchRow, type BenchRow } from "./row.ts";

const CONTACTS = 100_000;
const BATCH = 1_000;
const SESSION = "s1";
const SAMPLE_MS = 50;
const PATIENCE_MS = 300_000;

export async function benchBridgeMemory(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-bench-memory-"));
  const hub = await startPuppetHub({ dataDir: join(folder, "hub"), port: await freePort() });
  const bridge = await openBridgeSite({
    dir: join(folder, "bridge"),
    env: {
      BRIDGE_HUB_URL: hub.url,
      BRIDGE_HUB_API_KEY: await unhurriedKey(hub),
      BRIDGE_WEBHOOK_SECRET: makeSecret(),
      BRIDGE_SYNC_ON_CONNECT: "0",
      BRIDGE_SYNC_CONTACTS: "1000000",
    },
  });
  try {
    await hub.link(SESSION);
    for (let n = 0; n < CONTACTS; n += BATCH) await hub.tell(SESSION, contactsFrom(n));
    return [await measure(bridge)];
  } finally {
    await bridge.kill();
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(bridge: BridgeSite): Promise<BenchRow> {
  const life = await bridge.start();
  if (life === null) throw new Error("the bridge did not start");
  await until("the bridge at rest", () => bridge.output().includes('"reconcile.sessions_compared"'));
  const idle = residentMb(life.pid);
  let peak = idle;
  const sampler = setInterval(() => {
    peak = Math.max(peak, residentMb(life.pid));
  }, SAMPLE_MS);
  const since = performance.now();
  await bridge.crm.method("sync.sync_session_complete", { session_name: SESSION });
  await until(
    "the sync",
    async () => {
      const { sessions } = await bridge.crm.method<{ sessions: { job: { status: string } | null }[] }>(
        "sync.get_sync_status",
        { session_name: SESSION },
      );
      return sessions[0]?.job?.status === "done";
    },
    { timeoutMs: PATIENCE_MS, everyMs: 200 },
  );
  clearInterval(sampler);
  const seconds = (performance.now() - since) / 1000;
  const copied = await bridge.crm.count("WhatsApp Contact");
  console.error(
    `  ${copied} contacts in ${seconds.toFixed(1)} s, ${idle.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most`,
  );
  const row = benchRow({
    name: `bridge-memory: growth over a sync of ${CONTACTS} contacts`,
    figure: peak - idle,
    unit: "MB",
    bar: { atMost: 80 },
  });
  return { ...row, holds: row.holds && copied >= CONTACTS };
}

const contactsFrom = (start: number): Fact[] =>
  Array.from({ length: BATCH }, (_, n) => ({
    kind: "contact",
    jid: `346${String(start + n).padStart(8, "0")}@s.whatsapp.net`,
    change: { name: `Customer number ${start + n}`, pushName: `Customer ${start + n}`, isMyContact: true },
    live: false,
  }));

/** The key's own limit is for strangers; the measuring bridge is allowed what it needs. */
async function unhurriedKey({ client }: PuppetHub): Promise<string> {
  const { key } = await client.post<{ key: string }>("/api/keys", {
    name: "bench",
    scopes: ["read", "send", "webhooks"],
    sessions: "*",
    settings: { ratePerMinute: 100_000 },
  });
  return key;
}
