/** How late the event loop of a hub is while many sessions get messages: what every request and every timer waits for. */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { until } from "../../test/support/until.ts";
import { benchRow, type BenchRow } from "./row.ts";
import { linkSession, startBenchHub, startReceiver, withEmulator } from "./stand.ts";

const SESSIONS = 100;
const PER_SECOND = 100;
const SECONDS = 60;
/** Compiles the code, and lets every session say its first words. */
const WARM_UP = 500;
const PROBE = fileURLToPath(new URL("../../test/support/loop-delay.mjs", import.meta.url));

const probed = z.object({
  loopDelay: z.object({ looks: z.number(), p50: z.number(), p99: z.number(), worst: z.number() }),
});
type LoopDelay = z.infer<typeof probed>["loopDelay"];

export const benchLag = (): Promise<BenchRow[]> =>
  withEmulator(async (emulator) => {
    const receiver = await startReceiver();
    const hub = await startBenchHub(emulator, { webhookUrl: receiver.url, nodeOptions: ["--import", PROBE] });
    try {
      const accounts: string[] = [];
      for (let n = 0; n < SESSIONS; n++) {
        const { number: account } = await emulator.createAccount({ preset: "small" });
        await linkSession(emulator, hub, { sessionId: `lag-${n}`, account });
        accounts.push(account);
      }
      const told = async (count: number, perSecond: number): Promise<void> => {
        const target = receiver.count() + count;
        await emulator.startBurst({ accounts, count, perSecond, contacts: 3, groupShare: 0.2 });
        await until(`${count} messages told`, () => receiver.count() >= target, {
          timeoutMs: 10 * SECONDS * 1000,
          everyMs: 50,
        });
      };
      await told(WARM_UP, 0);
      await delaySoFar(hub.process);
      await told(SECONDS * PER_SECOND, PER_SECOND);
      const { p99 } = await delaySoFar(hub.process);
      return [
        benchRow({
          name: `lag: event loop p99, ${SESSIONS} sessions with ${PER_SECOND} messages a second`,
          figure: p99,
          unit: "ms",
          bar: { atMost: 50 },
        }),
      ];
    } finally {
      await hub.stop();
      receiver.stop();
    }
  });

/** Since it was asked last. */
async function delaySoFar({ pid, output }: { pid: number; output: string[] }): Promise<LoopDelay> {
  const answers = (): LoopDelay[] =>
    output
      .filter((line) => line.startsWith('{"loopDelay"'))
      .map((line) => probed.parse(JSON.parse(line)).loopDelay);
  const before = answers().length;
  process.kill(pid, "SIGUSR2");
  return until("the hub to say how late it is", () => answers()[before], { timeoutMs: 30_000 });
}
