/** Memory of a bridge while it copies a hundred thousand contacts: it holds a page or two, however much there is. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecret } from "../../hub/contract/index.ts";
import type { Fact } from "../../hub/core/facts.ts";
import { openBridgeSite, type BridgeSite } from "../../test/support/bridge-site.ts";
import { residentMb } from "../../test/support/process-figures.ts";
import { freePort } from "../../test/support/product-process.ts";
import { startPuppetHub } from "../../test/support/puppet-hub.ts";
import { until } from "../../test/support/until.ts";
import { benchRow, type BenchRow } from "./row.ts";
import { unhurriedKey } from "./stand.ts";

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
      BRIDGE_HUB_API_KEY: await unhurriedKey(hub.client),
      BRIDGE_WEBHOOK_SECRET: makeSecret(),
      BRIDGE_SYNC_ON_CONNECT: "0",
      BRIDGE_SYNC_CONTACTS: "1000000",
    },
  });
  try {
    await hub.link(SESSION);
    for (let n = 0; n < CONTACTS; n += BATCH) await hub.tell(SESSION, contactsFrom(n));
    return await measure(bridge);
  } finally {
    await bridge.kill();
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(bridge: BridgeSite): Promise<BenchRow[]> {
  const life = await bridge.start();
  if (life === null) throw new Error("the bridge did not start");
  await until("the bridge at rest", () => bridge.output().includes('"reconcile.sessions_compared"'));
  const idle = residentMb(life.pid);
  const samples: number[] = [];
  const sampler = setInterval(() => {
    samples.push(residentMb(life.pid));
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
  const peak = Math.max(...samples);
  const half = Math.max(...samples.slice(0, Math.floor(samples.length / 2)));
  const levels = [0.25, 0.5, 0.75, 1].map((share) =>
    samples[Math.ceil(samples.length * share) - 1]?.toFixed(0),
  );
  console.error(
    `  ${copied} contacts in ${seconds.toFixed(1)} s, ${idle.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most, ` +
      `${levels.join(", ")} MB after each quarter`,
  );
  const rows = [
    benchRow({
      name: `bridge-memory: growth over a sync of ${CONTACTS} contacts`,
      figure: peak - idle,
      unit: "MB",
      bar: { atMost: 80 },
    }),
    benchRow({
      name: "bridge-memory: of it in the second half, when nothing is new any more",
      figure: Math.max(0, peak - half),
      unit: "MB",
      bar: { atMost: 20 },
    }),
  ];
  return rows.map((row) => ({ ...row, holds: row.holds && copied >= CONTACTS }));
}

const contactsFrom = (start: number): Fact[] =>
  Array.from({ length: BATCH }, (_, n) => ({
    kind: "contact",
    jid: `346${String(start + n).padStart(8, "0")}@s.whatsapp.net`,
    change: { name: `Customer number ${start + n}`, pushName: `Customer ${start + n}`, isMyContact: true },
    live: false,
  }));
