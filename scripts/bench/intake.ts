/**
 * CPU of a hub per inbound message, to the CRM's 2xx, beside a bare Baileys socket that posts from its own event. Both get the
 * same traffic at the same rate from the same emulator, in turns, after a warm-up.
 */
import { cpuSeconds } from "../../test/support/process-figures.ts";
import { until } from "../../test/support/until.ts";
import type { SpawnedEmulator } from "../../test/whatsapp/spawn.ts";
import { startBare } from "./bare-client.ts";
import { lostByKill } from "./intake-killed.ts";
import { benchRow, type BenchRow } from "./row.ts";
import { linkSession, startBenchHub, startReceiver, withEmulator } from "./stand.ts";

interface Traffic {
  count: number;
  perSecond: number;
  contacts: number;
  groupShare: number;
}

/** A hub runs for weeks: what the compiler learns of the first thousands of messages is not what one of them costs. */
const WARM_UP = { count: 2500, perSecond: 0 };

/** Somebody who is sent messages: whose CPU is measured, which account is written to, and what came out of it so far. */
interface Side {
  pid: number;
  account: string;
  arrived: () => number;
}

/** CPU seconds of this side while `traffic` goes to it, until all of it came out. */
async function cost(
  emulator: SpawnedEmulator,
  { pid, account, arrived }: Side,
  traffic: Traffic,
): Promise<number> {
  const [cpu, target] = [cpuSeconds(pid), arrived() + traffic.count];
  await emulator.startBurst({ ...traffic, accounts: [account] });
  await until(`${traffic.count} messages through`, () => arrived() >= target, {
    timeoutMs: 180_000,
    everyMs: 5,
  });
  return cpuSeconds(pid) - cpu;
}

async function withHub<T>(emulator: SpawnedEmulator, work: (hub: Side) => Promise<T>): Promise<T> {
  const receiver = await startReceiver();
  const hub = await startBenchHub(emulator, { webhookUrl: receiver.url });
  try {
    const { number: account } = await emulator.createAccount({ preset: "small" });
    await linkSession(emulator, hub, { sessionId: "bench", account });
    return await work({ pid: hub.process.pid, account, arrived: receiver.count });
  } finally {
    await hub.stop();
    receiver.stop();
  }
}

async function withBare<T>(emulator: SpawnedEmulator, work: (bare: Side) => Promise<T>): Promise<T> {
  const receiver = await startReceiver();
  const { number: account } = await emulator.createAccount({ preset: "small" });
  const bare = await startBare(emulator, { accounts: [account], postTo: receiver.url });
  try {
    return await work({ pid: bare.pid, account, arrived: () => bare.counts.posted });
  } finally {
    await bare.stop();
    receiver.stop();
  }
}

/** CPU seconds per message of both, in turns: what else the machine does meets the one as it meets the other. */
async function costsInTurns(
  emulator: SpawnedEmulator,
  { turns, hub: forHub, bare: forBare }: { turns: number; hub: Traffic; bare: Traffic },
): Promise<{ hub: number; bare: number }> {
  return withBare(emulator, (bare) =>
    withHub(emulator, async (hub) => {
      await cost(emulator, bare, {
        ...forBare,
        ...WARM_UP,
        count: Math.min(WARM_UP.count, 3 * forBare.count),
      });
      await cost(emulator, hub, { ...forHub, ...WARM_UP });
      const sums = { hub: 0, bare: 0 };
      for (let turn = 0; turn < turns; turn += 1) {
        sums.bare += await cost(emulator, bare, forBare);
        sums.hub += await cost(emulator, hub, forHub);
      }
      return { hub: sums.hub / (turns * forHub.count), bare: sums.bare / (turns * forBare.count) };
    }),
  );
}

export const benchIntake = (): Promise<BenchRow[]> =>
  withEmulator(async (emulator) => {
    const traffic: Traffic = { count: 1000, perSecond: 250, contacts: 20, groupShare: 0 };
    const { hub, bare } = await costsInTurns(emulator, { turns: 4, hub: traffic, bare: traffic });
    return [
      benchRow({
        name: "intake: CPU per 1000 messages, hub beside bare Baileys",
        figure: hub * 1000,
        unit: "s",
        floor: bare * 1000,
        bar: { ratioAtMost: 2 },
      }),
      await killRow(emulator),
    ];
  });

async function killRow(emulator: SpawnedEmulator): Promise<BenchRow> {
  const { hub, bare } = await lostByKill(emulator);
  return benchRow({
    name: "intake: acknowledged messages lost by kill -9 in a burst of 1000, hub beside bare Baileys",
    figure: hub,
    unit: "messages",
    floor: bare,
    bar: { atMost: 0 },
  });
}

export const benchGroups = (): Promise<BenchRow[]> =>
  withEmulator(async (emulator) => {
    const traffic: Traffic = { count: 1000, perSecond: 0, contacts: 5, groupShare: 1 };
    const { hub, bare } = await costsInTurns(emulator, {
      turns: 3,
      hub: traffic,
      bare: { ...traffic, count: 100 },
    });
    return [
      benchRow({
        name: "groups: inbound group messages per second of one core",
        figure: 1 / hub,
        unit: "1/s",
        floor: 1 / bare,
        bar: { atLeast: 500 },
      }),
    ];
  });
