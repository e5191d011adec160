/**
 * CPU of a hub per inbound message, to the CRM's 2xx, beside a bare Baileys socket that posts from its own event. Both get the
 * same traffic at the same rate from the same emulator, one after the other, after a warm-up.
 */
import { cpuSeconds } from "../../test/support/process-figures.ts";
import { until } from "../../test/support/until.ts";
import type { SpawnedEmulator } from "../../test/whatsapp/spawn.ts";
import { startBare } from "./bare-client.ts";
import { benchRow, type BenchRow } from "./row.ts";
import { linkSession, startBenchHub, startReceiver, withEmulator } from "./stand.ts";

interface Traffic {
  count: number;
  perSecond: number;
  contacts: number;
  groupShare: number;
}

const WARM_UP: Traffic = { count: 600, perSecond: 0, contacts: 20, groupShare: 0 };

/** CPU seconds of `pid` while `traffic` goes to `account`, until `done` says so. */
async function cost(
  emulator: SpawnedEmulator,
  {
    pid,
    account,
    traffic,
    arrived,
  }: { pid: number; account: string; traffic: Traffic; arrived: () => number },
): Promise<{ cpu: number; wallMs: number }> {
  const [cpu, since, target] = [cpuSeconds(pid), performance.now(), arrived() + traffic.count];
  await emulator.startBurst({ ...traffic, accounts: [account] });
  await until(`${traffic.count} messages through`, () => arrived() >= target, {
    timeoutMs: 180_000,
    everyMs: 5,
  });
  return { cpu: cpuSeconds(pid) - cpu, wallMs: performance.now() - since };
}

async function hubCost(
  emulator: SpawnedEmulator,
  traffic: Traffic,
): Promise<{ cpu: number; wallMs: number }> {
  const receiver = await startReceiver();
  const hub = await startBenchHub(emulator, { webhookUrl: receiver.url });
  try {
    const { number: account } = await emulator.createAccount({ preset: "small" });
    await linkSession(emulator, hub, { sessionId: "bench", account });
    const of = { pid: hub.process.pid, account, arrived: receiver.count };
    await cost(emulator, { ...of, traffic: { ...WARM_UP, groupShare: traffic.groupShare } });
    return await cost(emulator, { ...of, traffic });
  } finally {
    await hub.stop();
    receiver.stop();
  }
}

async function bareCost(
  emulator: SpawnedEmulator,
  traffic: Traffic,
): Promise<{ cpu: number; wallMs: number }> {
  const receiver = await startReceiver();
  const { number: account } = await emulator.createAccount({ preset: "small" });
  const bare = await startBare(emulator, { accounts: [account], postTo: receiver.url });
  try {
    const of = { pid: bare.pid, account, arrived: () => bare.counts.posted };
    await cost(emulator, { ...of, traffic: { ...WARM_UP, groupShare: traffic.groupShare } });
    return await cost(emulator, { ...of, traffic });
  } finally {
    await bare.stop();
    receiver.stop();
  }
}

export const benchIntake = (): Promise<BenchRow[]> =>
  withEmulator(async (emulator) => {
    const traffic: Traffic = { count: 4000, perSecond: 250, contacts: 20, groupShare: 0 };
    const bare = await bareCost(emulator, traffic);
    const hub = await hubCost(emulator, traffic);
    const perThousand = 1000 / traffic.count;
    return [
      benchRow({
        name: "intake: CPU per 1000 messages, hub beside bare Baileys",
        figure: hub.cpu * perThousand,
        unit: "s",
        floor: bare.cpu * perThousand,
        bar: { ratioAtMost: 2 },
      }),
    ];
  });

export const benchGroups = (): Promise<BenchRow[]> =>
  withEmulator(async (emulator) => {
    const traffic: Traffic = { count: 3000, perSecond: 0, contacts: 5, groupShare: 1 };
    const hub = await hubCost(emulator, traffic);
    const bare = await bareCost(emulator, { ...traffic, count: 300 });
    return [
      benchRow({
        name: "groups: inbound group messages per second of one core",
        figure: traffic.count / hub.cpu,
        unit: "1/s",
        floor: 300 / bare.cpu,
        bar: { atLeast: 500 },
      }),
    ];
  });
