/** Kills a hub again and again while it works, each time on the same folder, and counts what came of it. */
import { until } from "../support/until.ts";
import { createRandom, type SeededRandom } from "../whatsapp/holdings/random.ts";
import type { Blow, MakeBlow } from "./blows.ts";
import { brokenNow, judge } from "./invariants.ts";
import { RECOVERY_LIMIT_MS, type RowOptions, type RowResult } from "./row.ts";
import { settle } from "./settle.ts";
import { isOnline, openStand, type LinkedAccount, type Stand } from "./stand.ts";
import { introduce, say, sayInNewGroup } from "./traffic.ts";

export interface KillPlan {
  /** Taken in turn. */
  blows: MakeBlow[];
  /** Messages that wait for the hub when it comes back; a random number up to it. */
  upToOffline?: number;
  /** Nothing is said while it is connected: only the offline batch is struck. */
  onlyOffline?: boolean;
  /** What this row alone expects of the folder of a hub that has just fallen. */
  whenDown?(stand: Stand): Promise<string[]>;
  /** What this row alone expects when all is at rest. */
  expectations?(stand: Stand): string[];
}

const UP_TO_OFFLINE = 12;
const AT_ONCE = 4;
/** So much and no more is said to a hub that does not fall. */
const MAX_LIVE = 80;
const FALL_MS = 30_000;

export async function killAgainAndAgain(
  {
    blows,
    upToOffline = UP_TO_OFFLINE,
    onlyOffline = false,
    whenDown = () => Promise.resolve([]),
    expectations = () => [],
  }: KillPlan,
  { tries, seed, say: tell = () => undefined }: RowOptions,
): Promise<RowResult> {
  const random = createRandom(seed);
  const stand = await openStand();
  try {
    const ordinaryMs = [(await stand.start())?.readyMs ?? 0];
    const account = await stand.link("s1");
    introduce(stand, account);
    const problems = await settle(stand);
    await stand.kill();
    const readyAfterMs: number[] = [];
    let tried = 0;

    for (let n = 0; n < tries; n++) {
      if (onlyOffline) sayInNewGroup(stand, account);
      say(stand, account, random, 1 + random.int(upToOffline));
      const blow = taken(blows, n)(random);
      const { fell, readyMs } = await strikeOnce(stand, account, { blow, random, onlyOffline });
      if (readyMs !== null) readyAfterMs.push(readyMs);
      // Is it the hub that is slow, or the machine?
      if ((readyMs ?? 0) > RECOVERY_LIMIT_MS) ordinaryMs.push(await stand.ordinaryStartMs());
      if (fell) tried++;
      else problems.push(`${blow.name} was never reached`);
      const found = [...brokenNow(stand), ...(await whenDown(stand))];
      const broken = found.map((problem) => `after ${blow.name}: ${problem}`);
      problems.push(...broken);
      tell([`${n + 1}/${tries} killed at ${blow.name}`, ...broken].join(" — "));
    }

    const last = await stand.start();
    if (last !== null) readyAfterMs.push(last.readyMs);
    problems.push(...(await settle(stand)));
    const { lost, doubled, problems: broken } = judge(stand);
    return {
      tried,
      lost,
      doubled,
      recoveredMs: Math.round(Math.max(...readyAfterMs)),
      ordinaryMs: Math.round(Math.max(...ordinaryMs)),
      problems: [...problems, ...broken, ...expectations(stand)],
    };
  } finally {
    await stand.stop();
  }
}

function taken(blows: MakeBlow[], turn: number): MakeBlow {
  const blow = blows[turn % blows.length];
  if (blow === undefined) throw new Error("no blow to strike with");
  return blow;
}

async function strikeOnce(
  stand: Stand,
  account: LinkedAccount,
  { blow, random, onlyOffline }: { blow: Blow; random: SeededRandom; onlyOffline: boolean },
): Promise<{ fell: boolean; readyMs: number | null }> {
  const started = await stand.start(blow.crashAt === undefined ? {} : { crashAt: blow.crashAt });
  let fell = started === null;
  if (started !== null) {
    const takeBack = blow.arm?.(stand);
    let live = 0;
    const fallen = (): boolean => {
      if (!stand.isDown() && !onlyOffline && live < MAX_LIVE && isOnline(stand.emulator, account.number)) {
        say(stand, account, random, AT_ONCE);
        live += AT_ONCE;
      }
      return stand.isDown();
    };
    fell = await until("the hub to fall", fallen, { timeoutMs: FALL_MS }).catch(() => false);
    takeBack?.();
    await stand.kill();
  }
  // What the hub sent before it fell may still be on its way to WhatsApp's ledger.
  await until("its connection gone", () =>
    stand.emulator.account(account.number).devices.every(({ connected }) => !connected),
  );
  return { fell, readyMs: started?.readyMs ?? null };
}
