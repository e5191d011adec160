/** C15, C16: how the process ends: on request, in a hurry, and by what nobody foresaw; and what must not end it. */
import { expect, onTestFinished, test } from "vitest";
import { until } from "../support/until.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";
import { judge } from "./invariants.ts";
import { RECOVERY_LIMIT_MS } from "./row.ts";
import { settle } from "./settle.ts";
import { isOnline, openStand, type LinkedAccount, type Stand, type StartOptions } from "./stand.ts";
import { introduce, say } from "./traffic.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
const PROVOKED = new URL("../support/provoked.mjs", import.meta.url).href;
const AT_ONCE = 3;
const SAID_EVERY_MS = 100;
const RESETS = 3;
/** What pm2 waits for by itself between asking and killing. */
const PM2_PATIENCE_MS = 1_600;
/** Our own ecosystem file's. */
const EXIT_LIMIT_MS = 10_000;
const LIMIT_MS = 600_000;

interface Busy {
  stand: Stand;
  account: LinkedAccount;
  /** Ends the talk, and returns when it was all heard. */
  settled(): Promise<void>;
}

/** A hub that hears messages all the time. */
async function aBusyHub(options: StartOptions = {}): Promise<Busy> {
  console.log(`FAULT_SEED=${SEED}`);
  const random = createRandom(SEED);
  const stand = await openStand();
  onTestFinished(() => stand.stop());
  await stand.start(options);
  const account = await stand.link("s1");
  introduce(stand, account);
  expect(await settle(stand)).toEqual([]);
  const talk = setInterval(() => {
    if (!stand.isDown()) say(stand, account, random, AT_ONCE);
  }, SAID_EVERY_MS);
  onTestFinished(() => clearInterval(talk));
  return {
    stand,
    account,
    settled: async () => {
      clearInterval(talk);
      stand.crm.answers();
      expect(await settle(stand)).toEqual([]);
      expect(judge(stand)).toEqual({ lost: 0, doubled: 0, problems: [] });
    },
  };
}

const told = ({ crm }: Stand, more: number) => {
  const before = crm.requests().length;
  return until("webhooks on their way", () => crm.requests().length >= before + more);
};

async function startsInTime(stand: Stand, options: StartOptions = {}): Promise<void> {
  const readyMs = (await stand.start(options))?.readyMs ?? 0;
  if (readyMs < RECOVERY_LIMIT_MS) return;
  // Is it the hub that is slow, or the machine?
  expect(readyMs).toBeLessThan(3 * (await stand.ordinaryStartMs()));
}

test(
  "C15: asked to end while it is busy, it ends in time, or is killed for a slow CRM's sake: nothing is lost",
  async () => {
    const { stand, settled } = await aBusyHub();
    stand.crm.answers({ kind: "slow", ms: 1_000 });
    await told(stand, 3);
    const asked = performance.now();
    process.kill(stand.hub().pid, "SIGTERM");
    expect(await stand.hub().exited).toBe(0);
    expect(performance.now() - asked).toBeLessThan(EXIT_LIMIT_MS);

    stand.crm.answers({ kind: "slow", ms: 2 * PM2_PATIENCE_MS });
    await startsInTime(stand);
    await told(stand, 3);
    const { pid, exited } = stand.hub();
    process.kill(pid, "SIGTERM");
    const kill = setTimeout(() => process.kill(pid, "SIGKILL"), PM2_PATIENCE_MS);
    expect(await exited).toBe("SIGKILL");
    clearTimeout(kill);
    await startsInTime(stand);
    await settled();
  },
  LIMIT_MS,
);

const provoked = (provoke: string, ...nodeOptions: string[]): StartOptions => ({
  nodeOptions: ["--import", PROVOKED, ...nodeOptions],
  env: { HUB_PROVOKE: provoke },
});

test(
  "C16: abort(), a foreign rejection, no memory left end it visibly; a connection that dies under the library does not",
  async () => {
    const { stand, account, settled } = await aBusyHub(provoked("abort"));
    const lives = [
      { ending: "SIGABRT", next: provoked("rejection") },
      { ending: 1, next: provoked("memory", "--max-old-space-size=128") },
      { ending: "SIGABRT", next: provoked("closed") },
    ];
    for (const { ending, next } of lives) {
      await told(stand, 5);
      process.kill(stand.hub().pid, "SIGUSR2");
      expect(await stand.hub().exited).toBe(ending);
      await startsInTime(stand, next);
    }

    const before = await ignored(stand);
    process.kill(stand.hub().pid, "SIGUSR2");
    await until("it counted", async () => (await ignored(stand)) === before + 1);
    for (let n = 0; n < RESETS; n++) {
      await stand.online(account);
      stand.emulator.fault({ kind: "reset", account: account.number });
      await until("the reset", () => !isOnline(stand.emulator, account.number));
    }
    await stand.online(account);
    expect(stand.isDown()).toBe(false);
    await settled();
  },
  LIMIT_MS,
);

async function ignored({ hub }: Stand): Promise<number> {
  const { url, apiKey } = hub();
  const text = await (await fetch(`${url}/metrics`, { headers: { "X-API-Key": apiKey } })).text();
  return Number(/^inbox_hub_whatsapp_rejections_total\{[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0);
}
