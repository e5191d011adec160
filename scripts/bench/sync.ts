/**
 * How long it takes to fill an empty CRM when an account connects, beside a plain loop that only reads the same pages; and how
 * long when the account connects again and nothing has changed.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DEFAULT_LIMITS, pageSize } from "../../bridge/sync/budget.ts";
import { benchRow, type BenchRow } from "./row.ts";
import { withEmulator } from "./stand.ts";
import { openSyncStand, type SyncSize, type SyncStand } from "./sync-stand.ts";

const SIZES: SyncSize[] = [
  { contacts: 50, chats: 10 },
  { contacts: 200, chats: 30 },
  { contacts: 500, chats: 50 },
  { contacts: 1000, chats: 100 },
];
const TRIES = 9;
/** What changed in the last two minutes is read again by every sync: only after them has nothing changed. */
const REST_MS = 130_000;

interface Times {
  first: number[];
  again: number[];
  floor: number[];
}

export const benchSync = (): Promise<BenchRow[]> =>
  measured(({ size, times, isLargest }) => [
    benchRow({
      name: `sync: session.connected to the CRM filled, ${named(size)}`,
      figure: median(times.first),
      unit: "s",
      floor: median(times.floor),
      bar: { ratioAtMost: 2.5, ...(isLargest ? { atMost: 3 } : {}) },
    }),
  ]);

export const benchSyncAgain = (): Promise<BenchRow[]> =>
  measured(
    ({ size, times }) => [
      benchRow({
        name: `sync-again: nothing changed, beside the first, ${named(size)}`,
        figure: median(times.again),
        unit: "s",
        floor: median(times.first),
        bar: { ratioAtMost: 0.25 },
      }),
    ],
    REST_MS,
  );

const named = ({ contacts, chats }: SyncSize): string => `${contacts} contacts, ${chats} chats`;

async function measured(
  rowsOf: (measured: { size: SyncSize; times: Times; isLargest: boolean }) => BenchRow[],
  restMs = 0,
): Promise<BenchRow[]> {
  return withEmulator(async (emulator) => {
    const stand = await openSyncStand(emulator, SIZES);
    try {
      await pause(restMs);
      // A hub that has run for a while: else the size that comes first would be measured while its code is still being compiled.
      for (const size of SIZES) await timesOf(size, stand, 1);
      const rows: BenchRow[] = [];
      for (const size of SIZES) {
        const times = await timesOf(size, stand);
        console.error(`  ${named(size)}: ${told(times)}`);
        rows.push(...rowsOf({ size, times, isLargest: size === SIZES.at(-1) }));
      }
      return rows;
    } finally {
      await stand.stop();
    }
  });
}

/** Each try with a bridge and a floor that have just started. */
async function timesOf(size: SyncSize, stand: SyncStand, tries = TRIES): Promise<Times> {
  const times: Times = { first: [], again: [], floor: [] };
  for (let n = 0; n < tries; n += 1) {
    const floor = await floorSeconds(size, stand);
    const [first, again] = await stand.withBridge(async (bridge) => [
      await bridge.connected(size),
      await bridge.connected(size),
    ]);
    times.floor.push(floor);
    times.first.push(first);
    times.again.push(again);
  }
  return times;
}

async function floorSeconds(size: SyncSize, { hub, key, sessionOf }: SyncStand): Promise<number> {
  const { contacts, chats, messageChats, messagesPerChat } = DEFAULT_LIMITS;
  const sizes = [pageSize(Infinity, 0), contacts, chats, messageChats, messagesPerChat].map(String);
  const file = fileURLToPath(new URL("./sync-floor.ts", import.meta.url));
  const child = fork(file, [hub.process.url, key, sessionOf(size), ...sizes]);
  const [said] = (await once(child, "message")) as [{ seconds: number }]; // all that the floor sends
  return said.seconds;
}

const told = (times: Times): string =>
  Object.entries(times)
    .map(([what, all]: [string, number[]]) => `${what} ${all.map((s) => (s * 1000).toFixed(0)).join(" ")} ms`)
    .join(", ");

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
