/**
 * `npm run demo`: the main job on one screen. WhatsApp (emulated), the hub and the bridge run as they would for real; an account
 * is linked, the CRM fills itself, live messages arrive, hub and bridge are killed in the middle. `-- --faults` adds an act of
 * trouble: cut, logged out, cleaned, undone, killed, corrupted. `-- --once` asks nothing, ends by itself, and its last line is JSON; the exit
 * status is 0 only when every count is right.
 */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import {
  ACCOUNT,
  areSame,
  hubTotals,
  link,
  SESSION,
  showCrm,
  survive,
  talk,
  watchHistory,
  type Totals,
} from "./acts.ts";
import { breakThings } from "./faults.ts";
import { isRight } from "./judge.ts";
import { createScreen } from "./screen.ts";
import { setStage, type Stage } from "./stage.ts";

const SCAN_AFTER_MS = 3_000;

const { values: options } = parseArgs({
  options: { once: { type: "boolean", default: false }, faults: { type: "boolean", default: false } },
});
const screen = createScreen();

/** The phone scans by itself after a moment, or when a key is pressed. */
async function whenToScan(): Promise<void> {
  if (options.once) return;
  screen.progress("the emulated phone scans it in a moment (Enter: now) …");
  const waiting = new AbortController();
  process.stdin.resume();
  await Promise.race([pause(SCAN_AFTER_MS, undefined, waiting), once(process.stdin, "data", waiting)]);
  waiting.abort();
  process.stdin.pause();
}

async function show(stage: Stage): Promise<boolean> {
  const linked = await link(stage, screen, whenToScan);
  const history = await watchHistory(stage, screen, linked.scannedAt);
  const live = await talk(stage, screen);
  const survived = await survive(stage, screen);
  const faults = options.faults ? await breakThings(stage, screen) : [];
  const { lost, duplicated, difference } = faults.at(-1) ?? survived;
  const crm = await showCrm(stage, screen, options.faults ? 6 : 5);
  const { deliveredLastHour: delivered } = await stage.hub.get<{ deliveredLastHour: number }>(
    "/api/deliveries/stats",
  );
  const said = [survived, ...faults].reduce((sum, act) => sum + act.said, live);
  const wrong = wrongCounts({ history, said, hub: await hubTotals(stage), crm });
  for (const line of wrong) screen.bad(line);
  const good = [survived, ...faults].every(isRight) && wrong.length === 0;
  const figures = {
    ...history.hub,
    live,
    delivered,
    crm,
    lost,
    duplicated,
    difference,
    ...(options.faults ? { faults } : {}),
    secondsToConnected: linked.seconds,
    secondsToSynced: history.secondsToHub,
    secondsToCrm: history.secondsToCrm,
  };
  if (good) screen.good("Nothing lost, nothing doubled; hub and CRM agree.");
  else screen.bad("The counts are wrong.");
  if (!options.once) await stay(stage);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  return good;
}

/** To the last one: what the account holds is known, and so is what was said since. */
function wrongCounts({
  history,
  said,
  hub,
  crm,
}: {
  history: { hub: Totals; crm: Totals };
  /** Messages since the history arrived. */
  said: number;
  /** As they are in the end. */
  hub: Totals;
  crm: Totals;
}): string[] {
  // People who wrote for the first time have a chat each: hub and CRM have to agree upon those.
  const expected = { ...ACCOUNT, chats: hub.chats, messages: ACCOUNT.messages + said };
  const compared = [
    { where: "the hub, after the history", seen: history.hub, wanted: ACCOUNT },
    { where: "the CRM, after the history", seen: history.crm, wanted: ACCOUNT },
    { where: "the hub, in the end", seen: hub, wanted: expected },
    { where: "the CRM, in the end", seen: crm, wanted: expected },
  ];
  return compared
    .filter(({ seen, wanted }) => !areSame(seen, wanted))
    .map(({ where, seen, wanted }) => `${where}: ${JSON.stringify(seen)}, and not ${JSON.stringify(wanted)}`);
}

/** Leaves everything running for a look around, until Ctrl-C. */
async function stay({ hubUrl, bridgeUrl, apiKey, whatsapp }: Stage): Promise<void> {
  screen.heading("Look around; Ctrl-C ends it");
  screen.fact("the hub's API", `${hubUrl}/docs`);
  screen.fact("its key", apiKey);
  screen.fact("try", `curl -H 'X-API-Key: ${apiKey}' '${hubUrl}/api/messages/${SESSION}/chats?limit=3'`);
  screen.fact("the bridge", `${bridgeUrl}/health`);
  screen.fact("WhatsApp, emulated", whatsapp.url);
  await once(process, "SIGINT");
}

const stage = await setStage();
try {
  process.exitCode = (await show(stage)) ? 0 : 1;
} finally {
  await stage.stop();
}
