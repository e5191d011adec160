/** O1 itself: fills the disk its temporary folder is on, looks at what the hub does, makes room again. Prints the result. */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../support/until.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";
import { askReady, trySend } from "./asked.ts";
import { brokenNow, judge } from "./invariants.ts";
import type { RowResult } from "./row.ts";
import { settle } from "./settle.ts";
import { isOnline, openStand, type LinkedAccount, type Stand } from "./stand.ts";
import { introduce, say } from "./traffic.ts";

const FILLER = join(tmpdir(), "filler");
const AT_ONCE = 10;
const PATIENCE_MS = 60_000;

const [tries = "1", seed = ""] = process.argv.slice(2);
const random = createRandom(seed);

function fill(): void {
  const file = openSync(FILLER, "w");
  for (let size = 1 << 20; size >= 512; size >>= 1) {
    const chunk = Buffer.alloc(size);
    try {
      for (;;) if (writeSync(file, chunk) < size) break;
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause && cause.code === "ENOSPC")) throw cause;
    }
  }
  closeSync(file);
}

async function strike(stand: Stand, account: LinkedAccount): Promise<string[]> {
  const { emulator } = stand;
  const { number } = account;
  const problems: string[] = [];
  const expect = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };
  expect((await askReady(stand)).status === 200, "not ready before the disk was full");

  fill();
  // Room that the database has already taken is used up first.
  await until(
    "the hub to let go of WhatsApp",
    () => {
      if (isOnline(emulator, number)) say(stand, account, random, AT_ONCE);
      return !isOnline(emulator, number);
    },
    { timeoutMs: PATIENCE_MS, everyMs: 50 },
  );
  expect(emulator.ledgerSummary(number).unacked > 0, "everything was acknowledged on a full disk");
  expect((await askReady(stand)).status === 503, "/readyz does not say 503");
  const status = await trySend(stand, account);
  expect(status === 503, `a send was answered ${status}`);
  expect(!stand.isDown(), "the hub ended");
  problems.push(...brokenNow(stand));

  rmSync(FILLER);
  await until("the hub to come back by itself", () => isOnline(emulator, number), { timeoutMs: PATIENCE_MS });
  await until("/readyz to say 200", async () => (await askReady(stand)).status === 200);
  return [...problems, ...(await settle(stand))];
}

async function run(): Promise<RowResult> {
  const stand = await openStand();
  try {
    await stand.start();
    const account = await stand.link("s1");
    introduce(stand, account);
    const problems = await settle(stand);
    let tried = 0;
    for (; tried < Number(tries); tried++) problems.push(...(await strike(stand, account)));
    const { lost, doubled, problems: broken } = judge(stand);
    return { tried, lost, doubled, recoveredMs: null, ordinaryMs: null, problems: [...problems, ...broken] };
  } finally {
    await stand.stop();
  }
}

process.stdout.write(JSON.stringify(await run()));
