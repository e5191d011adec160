/** What the rows about the bridge stand on: a whole hub whose WhatsApp the test plays, and bridges as processes beside it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";
import { makeSecret } from "../../hub/contract/index.ts";
import type { Fact } from "../../hub/core/facts.ts";
import { aMessageFact } from "../support/builders.ts";
import { freePort } from "../support/product-process.ts";
import { startPuppetHub, type PuppetHub } from "../support/puppet-hub.ts";
import { until } from "../support/until.ts";
import { openBridgeSite, type BridgeSite } from "../support/bridge-site.ts";

export const SESSION = "s1";
const PATIENCE_MS = 45_000;
const SHOWN = 3;

export interface BridgeStand {
  hub: PuppetHub;
  site: BridgeSite;
  /** One more bridge, with a folder and a CRM of its own. */
  another(env?: Record<string, string>): Promise<BridgeSite>;
}

/** A connected session; no bridge runs yet. Everything ends with the test. */
export async function openBridgeStand(env: Record<string, string> = {}): Promise<BridgeStand> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-bridge-faults-"));
  const hub = await startPuppetHub({ dataDir: join(folder, "hub"), port: await freePort() });
  const sites: BridgeSite[] = [];
  onTestFinished(async () => {
    await Promise.all(sites.map((site) => site.kill()));
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await hub.link(SESSION);
  const another = async (more: Record<string, string> = {}): Promise<BridgeSite> => {
    const site = await openBridgeSite({
      dir: join(folder, `bridge-${sites.length}`),
      env: {
        BRIDGE_HUB_URL: hub.url,
        BRIDGE_HUB_API_KEY: hub.apiKey,
        BRIDGE_WEBHOOK_SECRET: makeSecret(),
        ...env,
        ...more,
      },
    });
    sites.push(site);
    return site;
  };
  return { hub, site: await another(), another };
}

export const person = (n: number): string => `34600${String(100_000 + n)}@s.whatsapp.net`;

let written = 0;
/** Messages of so many people in turn, each with a time of its own; `live` false: history, told by no event. */
export function messages(count: number, { chats = 4, live = true } = {}): Fact[] {
  return Array.from({ length: count }, () => {
    written += 1;
    return aMessageFact(
      { chatId: person(written % chats), timestamp: 1_750_000_000 + written, content: `fault ${written}` },
      { live },
    );
  });
}

/** Session and id of every message the hub has, read from its file. */
function messagesOfHub({ dataDir }: PuppetHub): string[] {
  const db = new Database(join(dataDir, "hub.db"), { readonly: true, timeout: 5000 });
  try {
    return db
      .prepare<[], string>(
        "SELECT s.session_id || ' ' || m.id FROM message m JOIN session s ON s.id = m.session",
      )
      .pluck()
      .all();
  } finally {
    db.close();
  }
}

export const messagesOfCrm = (site: BridgeSite): string[] =>
  site.inFile((db) =>
    db.prepare<[], string>("SELECT session || ' ' || message_id FROM whatsapp_message").pluck().all(),
  );

/** What must be there once: the natural keys of the CRM, apart from its own rules. */
const ONCE = [
  "SELECT session || ' ' || contact_id FROM whatsapp_contact",
  "SELECT session || ' ' || chat_id FROM whatsapp_conversation",
  "SELECT session || ' ' || message_id || ' ' || from_me || ' ' || participant FROM whatsapp_message",
];

/** I10, in words where it is broken: unique messages in the CRM = in the hub. `more`: the CRM may hold what the hub lost. */
export function differences(hub: PuppetHub, site: BridgeSite, { more = false } = {}): string[] {
  const inHub = messagesOfHub(hub);
  const inCrm = messagesOfCrm(site);
  const [ofHub, ofCrm] = [new Set(inHub), new Set(inCrm)];
  const problems = [
    ...told(
      "lost",
      inHub.filter((key) => !ofCrm.has(key)),
    ),
    ...told("of nobody", more ? [] : inCrm.filter((key) => !ofHub.has(key))),
  ];
  site.inFile((db) => {
    for (const sql of ONCE) {
      const keys = db.prepare<[], string>(sql).pluck().all();
      const seen = new Set<string>();
      problems.push(
        ...told(
          "doubled",
          keys.filter((key) => seen.has(key) || !seen.add(key)),
        ),
      );
    }
    if (db.pragma("quick_check", { simple: true }) !== "ok") problems.push("the CRM's file is broken");
  });
  return problems;
}

const told = (what: string, keys: string[]): string[] =>
  keys.length === 0 ? [] : [`${keys.length} ${what}: ${keys.slice(0, SHOWN).join(", ")}`];

interface Listed {
  deliveries: { event: string; attempts: number; lastError: string | null }[];
}

/** Nothing is owed, nothing is being done, and I10 holds; else what is wrong when the patience ends. */
export async function settle(
  { hub }: Pick<BridgeStand, "hub">,
  site: BridgeSite,
  { more = false } = {},
): Promise<string[]> {
  await hurry(hub);
  const wrong = async (): Promise<string[]> => {
    const { pending, retrying } = await hub.client.get<{ pending: number; retrying: number }>(
      "/api/deliveries/stats",
    );
    if (pending + retrying > 0) {
      const { deliveries } = await hub.client.get<Listed>("/api/deliveries?state=retrying&limit=10");
      const why = deliveries.map(
        ({ event, attempts, lastError }) => `${event} ×${attempts}: ${String(lastError)}`,
      );
      return [`${pending} deliveries pending, ${retrying} retrying`, ...why.slice(0, SHOWN)];
    }
    const { sessions } = await site.crm.method<{ sessions: { job: { status: string } | null }[] }>(
      "sync.get_sync_status",
    );
    const busy = sessions.filter(({ job }) => ["running", "queued"].includes(job?.status ?? ""));
    return busy.length > 0 ? [`${busy.length} syncs under way`] : differences(hub, site, { more });
  };
  let last: string[] = [];
  await until("everything at rest", async () => (last = await wrong()).length === 0, {
    timeoutMs: PATIENCE_MS,
    everyMs: 50,
  }).catch(() => undefined);
  return last;
}

/** Pauses after failures are of no interest here: endpoints begin afresh, and what waits for its next try is due. */
export async function hurry({ client }: PuppetHub): Promise<void> {
  const { endpoints } = await client.get<{ endpoints: { id: string }[] }>("/api/endpoints?limit=100");
  for (const { id } of endpoints) await client.post(`/api/endpoints/${id}/resume`);
  const { dismissed } = await client.post<{ dismissed: number }>("/api/deliveries/dismiss", {
    state: "retrying",
  });
  if (dismissed > 0) await client.post("/api/deliveries/replay", { state: "dismissed" });
}
