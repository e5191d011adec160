/** From the scan of a code until the account is connected, as a client of the API sees it, beside a bare Baileys socket. */
import type { SpawnedEmulator } from "../../test/whatsapp/spawn.ts";
import { startBare } from "./bare-client.ts";
import { benchRow, type BenchRow } from "./row.ts";
import { linkSession, startBenchHub, withEmulator } from "./stand.ts";

const TRIES = 20;
/** The first few of a process compile its code. */
const WARM_UP = 3;

export const benchConnect = (): Promise<BenchRow[]> =>
  withEmulator(async (emulator) => {
    const hub = await startBenchHub(emulator);
    const bare = await startBare(emulator, { accounts: [] });
    const times = { hub: [] as number[], bare: [] as number[] };
    try {
      // In turns, so that whatever else the machine does meets both alike.
      for (let n = 0; n < WARM_UP + TRIES; n++) {
        const account = await newAccount(emulator);
        const { scannedAt } = await linkSession(emulator, hub, { sessionId: `connect-${n}`, account });
        const hubMs = performance.now() - scannedAt;
        const bareMs = await bare.link(await newAccount(emulator));
        if (n < WARM_UP) continue;
        times.hub.push(hubMs);
        times.bare.push(bareMs);
      }
    } finally {
      await Promise.all([hub.stop(), bare.stop()]);
    }
    return [
      benchRow({
        name: `connect: from scan to connected, median of ${TRIES}`,
        figure: median(times.hub) / 1000,
        unit: "s",
        floor: median(times.bare) / 1000,
        bar: { atMost: 1 },
      }),
    ];
  });

const newAccount = async (emulator: SpawnedEmulator): Promise<string> =>
  (await emulator.createAccount({ preset: "empty" })).number;

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
