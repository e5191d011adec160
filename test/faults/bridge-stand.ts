/** What the rows about the bridge stand on: a whole hub whose WhatsApp the test plays, and bridges as processes beside it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { retriesWait } from "../support/retry-clock.ts";
import { makeSecret } from "../../hub/contract/index.ts";
import type { Fact } from "../../hub/core/facts.ts";
import { aMessageFact } from "../support/builders.ts";
import { freePort } from "../support/product-process.ts";
import { startPuppetHub, type PuppetHub } from "../support/puppet-hub.ts";
import { until } from "../support/until.ts";
import { openBridgeSite, type BridgeSite } from "../support/bridge-site.ts";
import { differences } from "./hub-and-crm.ts";

export const SESSION = "s1";
const PATIENCE_MS = 45_000;
/** Long enough for a hub to look at the clock of its retries now and then. */
const EVERY_MS = 250;
const SHOWN = 3;

export interface BridgeStand {
  hub: PuppetHub;
  site: BridgeSite;
  /** One more bridge, with a folder and a CRM of its own. */
  another(env?: Record<string, string>): Promise<BridgeSite>;
}

/**
 * A connected session; no bridge runs yet. Everything ends with the test. `onlyByRetries`: the bridge does not read the hub's events
 * every five minutes, so that what it missed comes by the hub's retries or not at all.
 */
export async function openBridgeStand(
  env: Record<string, string> = {},
  { onlyByRetries = false } = {},
): Promise<BridgeStand> {
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
      readsFeed: !onlyByRetries,
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

/** Five minutes go by for the hub's retries, longer than any pause of theirs: whatever waits is tried by itself. */
export const hurry = (): void => retriesWait(5 * 60_000);

interface Owed {
  deliveries: { event: string; attempts: number; lastError: string | null }[];
}

/** What the hub still owes, in words. With every look a minute goes by for its retries. */
async function owed({ client }: PuppetHub): Promise<string[]> {
  const { pending, retrying } = await client.get<{ pending: number; retrying: number }>(
    "/api/deliveries/stats",
  );
  if (pending + retrying === 0) return [];
  retriesWait(60_000);
  const { deliveries } = await client.get<Owed>("/api/deliveries?state=retrying&limit=10");
  const why = deliveries.map(
    ({ event, attempts, lastError }) => `${event} ×${attempts}: ${String(lastError)}`,
  );
  return [`${pending} deliveries pending, ${retrying} retrying`, ...why.slice(0, SHOWN)];
}

/** Looks until nothing is wrong; else what is wrong when the patience ends. */
async function atRest(wrong: () => Promise<string[]>): Promise<string[]> {
  let last: string[] = [];
  await until("everything at rest", async () => (last = await wrong()).length === 0, {
    timeoutMs: PATIENCE_MS,
    everyMs: EVERY_MS,
  }).catch(() => undefined);
  return last;
}

interface Synced {
  last_sync: string | null;
  job: { status: string } | null;
}
const syncs = async ({ crm }: BridgeSite): Promise<Synced[]> =>
  (await crm.method<{ sessions: Synced[] }>("sync.get_sync_status")).sessions;
const isBusy = ({ job }: Synced): boolean => ["running", "queued"].includes(job?.status ?? "");

async function syncing(site: BridgeSite): Promise<string[]> {
  const busy = (await syncs(site)).filter(isBusy);
  return busy.length > 0 ? [`${busy.length} syncs under way`] : [];
}

/** What a bridge does by itself at its first start is done: from now on events alone tell it what is new. */
export const synced = (site: BridgeSite): Promise<boolean> =>
  until("the first sync", async () => {
    const all = await syncs(site);
    return all.length > 0 && all.every((one) => one.last_sync !== null && !isBusy(one));
  });

/** The first of the questions to which something is wrong. */
const firstOf = async (questions: (() => string[] | Promise<string[]>)[]): Promise<string[]> => {
  for (const ask of questions) {
    const wrong = await ask();
    if (wrong.length > 0) return wrong;
  }
  return [];
};

/** Nothing is owed, nothing is being done: the hub's retries have brought everything; else what is wrong when the patience ends. */
export const calm = ({ hub }: Pick<BridgeStand, "hub">, site: BridgeSite): Promise<string[]> =>
  atRest(() => firstOf([() => owed(hub), () => syncing(site)]));

/** Calm, and I10 holds; else what is wrong when the patience ends. */
export const settle = (
  { hub }: Pick<BridgeStand, "hub">,
  site: BridgeSite,
  { more = false } = {},
): Promise<string[]> =>
  atRest(() => firstOf([() => owed(hub), () => syncing(site), () => differences(hub, site, { more })]));
