/**
 * O2 on a disk that becomes read-only: a hub that runs says so and keeps what it is told; one that starts there refuses in
 * plain words, touches nothing, and starts when the disk can be written to again. Prints the result.
 */
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { StartError } from "../support/product-process.ts";
import { until } from "../support/until.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";
import { askReady } from "./asked.ts";
import { judge } from "./invariants.ts";
import type { RowResult } from "./row.ts";
import { settle } from "./settle.ts";
import { openStand, type LinkedAccount, type Stand } from "./stand.ts";
import { introduce, say } from "./traffic.ts";

const AT_ONCE = 20;
const [tries = "1", seed = ""] = process.argv.slice(2);
const random = createRandom(seed);

function call(command: "mount" | "umount", ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr.toString()}`);
}

async function strike(
  stand: Stand,
  account: LinkedAccount,
): Promise<{ problems: string[]; readyMs: number }> {
  const { dataDir } = stand;
  const problems: string[] = [];
  const expect = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };

  // Over what the hub has open, a disk cannot become read-only; for all else, its folder does.
  call("mount", "--bind", dataDir, dataDir);
  call("mount", "-o", "remount,bind,ro", dataDir);
  const { status, failing } = await askReady(stand);
  expect(status === 503 && failing.includes("disk"), `/readyz says ${status} (${failing.join(", ")})`);
  say(stand, account, random, AT_ONCE);
  problems.push(...(await settle(stand)));
  await stand.kill();
  call("umount", dataDir);

  say(stand, account, random, AT_ONCE);
  call("mount", "-o", "remount,ro", tmpdir());
  const refusal = await stand.start().then(
    () => "it started",
    (error: unknown) => {
      if (error instanceof StartError && error.ending === 1) return error.message;
      throw error;
    },
  );
  expect(/cannot be used \(EROFS\)/.test(refusal), `started on a read-only disk: ${refusal}`);
  call("mount", "-o", "remount,rw", tmpdir());
  const started = await stand.start();
  await until("/readyz to say 200", async () => (await askReady(stand)).status === 200);
  return { problems: [...problems, ...(await settle(stand))], readyMs: started?.readyMs ?? 0 };
}

async function run(): Promise<RowResult> {
  const stand = await openStand();
  try {
    await stand.start();
    const account = await stand.link("s1");
    introduce(stand, account);
    const problems = await settle(stand);
    const ordinaryMs = await stand.ordinaryStartMs();
    let recoveredMs = 0;
    let tried = 0;
    for (; tried < Number(tries); tried++) {
      const struck = await strike(stand, account);
      problems.push(...struck.problems);
      recoveredMs = Math.max(recoveredMs, struck.readyMs);
    }
    const { lost, doubled, problems: broken } = judge(stand);
    return { tried, lost, doubled, recoveredMs, ordinaryMs, problems: [...problems, ...broken] };
  } finally {
    await stand.stop();
  }
}

process.stdout.write(JSON.stringify(await run()));
