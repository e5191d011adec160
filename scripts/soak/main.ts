/**
 * `npm run soak -- [--minutes N] [--accounts N] [--per-second N] [--seed S] [--json FILE]`: a hub at work for a long while, with
 * steady traffic and small faults. Each minute shows what it costs; the end shows how that grew, and whether anything was lost,
 * doubled or out of order. The exit status is 0 only when nothing was and, in a run long enough to tell, nothing grew.
 */
import { writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createRandom } from "../../test/whatsapp/holdings/random.ts";
import { comesToRest, compareBooks } from "./books.ts";
import { startTrouble } from "./faults.ts";
import { growthOf, isFlat, look, minuteOf, type Look } from "./figures.ts";
import { openSoakStand, type SoakStand } from "./stand.ts";
import { startTraffic } from "./traffic.ts";

const LOOK_EVERY_MS = 5_000;
/** A slope of fewer minutes says nothing about an hour. */
const MINUTES_TO_TELL = 30;

const whole = (name: string, value: string): number => {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  console.error(`--${name} takes a whole number, 1 or more.`);
  process.exit(2);
};
const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    accounts: { type: "string", default: "5" },
    "per-second": { type: "string", default: "10" },
    seed: { type: "string", default: Date.now().toString(36) },
    json: { type: "string" },
  },
});
const minutes = whole("minutes", options.minutes);
const accounts = whole("accounts", options.accounts);
const perSecond = whole("per-second", options["per-second"]);
console.error(`seed ${options.seed}`);

/** Shows each minute when it is over; resolves with all of them. */
async function watch(stand: SoakStand): Promise<Look[]> {
  const shown: Look[] = [];
  for (let minute = 1; minute <= minutes; minute++) {
    const looks: Look[] = [];
    for (const endsAt = performance.now() + 60_000; performance.now() < endsAt;) {
      await pause(LOOK_EVERY_MS);
      looks.push(await look(stand));
    }
    const found = minuteOf(looks);
    shown.push(found);
    const { rssMb, heapMb, handles, files, lagP99Ms, lagMaxMs, backlog } = found;
    console.log(
      `minute ${minute}: RSS ${rssMb.toFixed(1)} MB, heap ${heapMb.toFixed(1)} MB, handles ${handles}, files ${files}, ` +
        `lag p99 ${lagP99Ms.toFixed(0)} ms (max ${lagMaxMs.toFixed(0)}), backlog ${backlog}`,
    );
  }
  return shown;
}

async function soak(stand: SoakStand): Promise<boolean> {
  const random = createRandom(options.seed);
  const traffic = startTraffic(stand, { random, perSecond });
  const trouble = startTrouble(stand, {
    // Of its own, so that the faults do not depend on how much was said before them.
    random: createRandom(`${options.seed} faults`),
    say: (text) => console.error(`    ${text}`),
  });
  const shown = await watch(stand);
  await trouble.stop();
  await traffic.stop();
  const leftOver = await comesToRest(stand);
  const books = await compareBooks(stand, traffic);
  const growthPerHour = growthOf(shown);
  const summary = {
    seed: options.seed,
    minutes,
    accounts,
    said: traffic.said(),
    answered: traffic.answered().length,
    refused: traffic.refused(),
    faults: trouble.struck(),
    ...books,
    leftOver,
    growthPerHour,
    isFlat: minutes < MINUTES_TO_TELL ? null : isFlat(growthPerHour),
  };
  console.log(JSON.stringify(summary, null, 2));
  if (options.json !== undefined)
    await writeFile(options.json, `${JSON.stringify({ ...summary, minutesShown: shown }, null, 2)}\n`);
  return (
    summary.isFlat !== false &&
    [leftOver.length, books.lost, books.doubled, books.outOfOrder].every((count) => count === 0)
  );
}

const stand = await openSoakStand({ accounts });
const giveUp = (): void => void stand.stop().finally(() => process.exit(130));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, giveUp);
const isGood = await soak(stand).finally(() => stand.stop());
// At once: with sockets that were reset, Node 20 may wait for ever in its own cleaning up.
process.exit(isGood ? 0 : 1);
