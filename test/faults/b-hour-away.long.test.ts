/** B4 with a hub: the CRM fails, is slow or is down for an hour by the clock of hub and bridge, and events come all the while. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../hub/core/clock.ts";
import { aMessageFact } from "../support/builders.ts";
import { openBridgeRig } from "../support/bridge-rig.ts";
import { minutes, seconds } from "../support/fixed-clock.ts";
import { openKeepingCrm, type KeepingCrm } from "../support/keeping-crm.ts";
import { freePort } from "../support/product-process.ts";
import { startPuppetHub, type PuppetHub } from "../support/puppet-hub.ts";
import { until } from "../support/until.ts";

const SESSION = "s1";
const CHATS = 4;
/** So much goes by with every look: less than a signature is good for, should one be under way. */
const STEP = seconds(30);
const HOUR_AWAY = minutes(60);
/** The longest pause of a retry, spread by a fifth: so soon after the return the backlog is on its way. */
const UNTIL_TRIED = minutes(6);
/** In which the CRM must answer. */
const PATIENCE_MS = 300;
/** A hub looks at the clock of its retries every second. */
const LOOK_MS = 150;

/** Hub and bridge in this process, on one clock that a test puts forward. */
async function openStand() {
  let aheadMs = 0;
  const clock = { now: () => new Date(Date.now() + aheadMs) };
  const moved = vi.spyOn(systemClock, "now").mockImplementation(clock.now);
  const dataDir = await mkdtemp(join(tmpdir(), "hub-hour-"));
  const hub = await startPuppetHub({ dataDir, port: await freePort() });
  onTestFinished(async () => {
    await hub.stop();
    moved.mockRestore();
    await rm(dataDir, { recursive: true, force: true });
  });
  await hub.link(SESSION);
  const crm = await openKeepingCrm({ timeoutMs: PATIENCE_MS });
  const bridge = await openBridgeRig({
    env: { BRIDGE_HUB_URL: hub.url, BRIDGE_HUB_API_KEY: hub.apiKey },
    overrides: { clock, adapter: crm.adapter },
  });
  /** So much time goes by on the clock of both, a step at a time. */
  const passes = async (
    ms: number,
    eachStep: () => Promise<void> | void = () => undefined,
  ): Promise<void> => {
    const end = aheadMs + ms;
    const step = async (): Promise<boolean> => {
      await eachStep();
      aheadMs += STEP;
      return aheadMs >= end;
    };
    await until("the time gone by", step, { timeoutMs: 60_000, everyMs: LOOK_MS });
  };
  return { hub, crm, bridge, passes };
}

async function statesOf({ client }: PuppetHub): Promise<Record<string, number>> {
  const { deliveries } = await client.get<{ deliveries: { state: string }[] }>(
    "/api/deliveries?event=message.received&limit=500",
  );
  const counts: Record<string, number> = {};
  for (const { state } of deliveries) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

test.each<[string, (crm: KeepingCrm) => Promise<void> | void]>([
  ["fails", (crm) => crm.troubles(() => ({ status: 500, body: "<h1>Server Error</h1>" }))],
  ["takes everything and answers nobody in time", (crm) => crm.troubles(() => "silent")],
  ["is down", (crm) => crm.server.close()],
])(
  "B4: the CRM %s for an hour: nothing is lost, doubled or parked, each chat keeps its order, and six minutes later all is there",
  async (_what, begins) => {
    const { hub, crm, bridge, passes } = await openStand();
    let told = 0;
    const says = async (): Promise<void> => {
      const facts = Array.from({ length: CHATS }, (_, chat) =>
        aMessageFact({ chatId: `3460011122${chat}@s.whatsapp.net`, content: `${chat}: ${++told}` }),
      );
      await hub.tell(SESSION, facts);
    };
    await bridge.bridge.idle();
    await says();
    await until("what came before", () => crm.messages().length === told);
    const before = bridge.log.lines("feed.read").length;

    await begins(crm);
    let looks = 0;
    await passes(HOUR_AWAY, async () => {
      if (looks++ % 10 === 0) await says();
    });
    expect(told).toBe(CHATS * 13);
    expect(await statesOf(hub)).toMatchObject({ delivered: CHATS });
    // As often as its breaker lets it, and not for every event.
    const tries = bridge.log.lines("webhook.failed").length;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(30);

    crm.troubles();
    await crm.server.openAgain();
    await says();
    await passes(UNTIL_TRIED);
    await until("all is delivered", async () => (await statesOf(hub))["delivered"] === told);
    expect(await statesOf(hub)).toEqual({ delivered: told });
    const kept = crm.messages().map(({ content }) => content);
    expect(kept).toHaveLength(told);
    expect(new Set(kept).size).toBe(told);
    expect(crm.again()).toEqual([]);
    for (let chat = 0; chat < CHATS; chat += 1) {
      const numbers = kept.filter((text) => text.startsWith(`${chat}:`)).map((text) => Number(text.slice(3)));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
    // All by the hub's own retries: none was read of its feed.
    expect(bridge.log.lines("feed.read")).toHaveLength(before);
    expect(bridge.log.lines("feed.hole_filled")).toEqual([]);
  },
  60_000,
);
