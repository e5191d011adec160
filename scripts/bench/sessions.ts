/** Memory of idle connected sessions, beside as many bare Baileys sockets: what one more of each costs. */
import { residentMb } from "../../test/support/process-figures.ts";
import { until } from "../../test/support/until.ts";
import type { SpawnedEmulator } from "../../test/whatsapp/spawn.ts";
import { startBare } from "./bare-client.ts";
import { benchRow, type BenchRow } from "./row.ts";
import { linkSession, startBenchHub, withEmulator } from "./stand.ts";

const SIZES = [1, 20, 100];

async function accountsOf(emulator: SpawnedEmulator, count: number): Promise<string[]> {
  const numbers: string[] = [];
  for (let n = 0; n < count; n++) numbers.push((await emulator.createAccount({ preset: "empty" })).number);
  return numbers;
}

/** The lowest of a few looks: memory swings with the collector, and only its floor says what is held. */
async function settledMb(pid: number): Promise<number> {
  let lowest = residentMb(pid);
  let looks = 0;
  await until(
    "memory settled",
    () => {
      const now = residentMb(pid);
      if (now < lowest - 0.5) looks = 0;
      lowest = Math.min(lowest, now);
      return (looks += 1) > 20;
    },
    { everyMs: 250, timeoutMs: 120_000 },
  );
  return lowest;
}

export const benchSessions = (): Promise<BenchRow[]> =>
  withEmulator(async (emulator) => {
    const hub = await startBenchHub(emulator);
    const hubMb: number[] = [];
    let linked = 0;
    for (const size of SIZES) {
      for (const account of await accountsOf(emulator, size - linked))
        await linkSession(emulator, hub, { sessionId: `idle-${++linked}`, account });
      hubMb.push(await settledMb(hub.process.pid));
    }
    await hub.stop();

    const bareMb: number[] = [];
    for (const size of SIZES) {
      const bare = await startBare(emulator, { accounts: await accountsOf(emulator, size) });
      bareMb.push(await settledMb(bare.pid));
      await bare.stop();
    }
    const perSession = (mb: number[], from: number, to: number): number =>
      ((mb[to] ?? NaN) - (mb[from] ?? NaN)) / ((SIZES[to] ?? NaN) - (SIZES[from] ?? NaN));
    return [
      benchRow({
        name: "sessions: memory of a hub with 1 idle session",
        figure: hubMb[0] ?? NaN,
        unit: "MB",
        floor: bareMb[0] ?? NaN,
        bar: { ratioAtMost: 1.5 },
      }),
      ...[
        [0, 1],
        [0, 2],
      ].map(([from = 0, to = 0]) =>
        benchRow({
          name: `sessions: memory per further idle session, 1 → ${SIZES[to]}`,
          figure: perSession(hubMb, from, to),
          unit: "MB",
          floor: perSession(bareMb, from, to),
          bar: { ratioAtMost: 1.5 },
        }),
      ),
    ];
  });
