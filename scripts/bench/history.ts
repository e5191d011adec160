/** How soon an account's history is there: stored whole, beside bare Baileys that only emits it; and readable over REST. */
import { until } from "../../test/support/until.ts";
import type { SpawnedEmulator } from "../../test/whatsapp/spawn.ts";
import { startBare } from "./bare-client.ts";
import { benchRow, type BenchRow } from "./row.ts";
import { linkSession, startBenchHub, withEmulator, type BenchHub } from "./stand.ts";

const TRIES = 3;

interface Size {
  contacts: number;
  chats: number;
  messages: number;
}

const median = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

async function hubSeconds(
  emulator: SpawnedEmulator,
  hub: BenchHub,
  sessionId: string,
  preset: "large" | "mission",
  size: Size,
) {
  const { number: account } = await emulator.createAccount({ preset });
  const { scannedAt } = await linkSession(emulator, hub, { sessionId, account });
  const total = async (path: string): Promise<number> =>
    (await hub.client.get<{ total: number }>(`${path}limit=1`)).total;
  await until(
    "the whole history readable",
    async () =>
      (await total(`/api/messages/${sessionId}?`)) >= size.messages &&
      (await total(`/api/messages/${sessionId}/chats?`)) >= size.chats &&
      (await total(`/api/contacts/${sessionId}?isGroup=false&`)) >= size.contacts,
    { everyMs: 10, timeoutMs: 60_000 },
  );
  return (performance.now() - scannedAt) / 1000;
}

async function bareSeconds(emulator: SpawnedEmulator, preset: "large", size: Size): Promise<number> {
  const { number: account } = await emulator.createAccount({ preset });
  const bare = await startBare(emulator, { accounts: [account] });
  await until("the whole history emitted", () => bare.counts.messages >= size.messages, {
    everyMs: 5,
    timeoutMs: 60_000,
  });
  const seconds = (performance.now() - bare.scannedAt()) / 1000;
  await bare.stop();
  return seconds;
}

export const benchHistory = (): Promise<BenchRow[]> =>
  withEmulator(async (emulator) => {
    const size = { contacts: 1000, chats: 100, messages: 5000 };
    const [hubTimes, bareTimes]: [number[], number[]] = [[], []];
    for (let n = 0; n < TRIES; n++) {
      const hub = await startBenchHub(emulator); // a fresh process each, as the bare one is
      hubTimes.push(await hubSeconds(emulator, hub, "history", "large", size));
      await hub.stop();
      bareTimes.push(await bareSeconds(emulator, "large", size));
    }
    return [
      benchRow({
        name: "history: scan to 1000 contacts, 100 chats × 50 messages stored",
        figure: median(hubTimes),
        unit: "s",
        floor: median(bareTimes),
        bar: { ratioAtMost: 2, atMost: 5 },
      }),
    ];
  });

export const benchFirstSight = (): Promise<BenchRow[]> =>
  withEmulator(async (emulator) => {
    const times: number[] = [];
    for (let n = 0; n < TRIES; n++) {
      const hub = await startBenchHub(emulator);
      times.push(
        await hubSeconds(emulator, hub, "first", "mission", { contacts: 327, chats: 45, messages: 985 }),
      );
      await hub.stop();
    }
    return [
      benchRow({
        name: "first-sight: scan to 327 contacts, 45 chats, 985 messages readable",
        figure: median(times),
        unit: "s",
        bar: { atMost: 3 },
      }),
    ];
  });
