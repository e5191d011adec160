/** A hub with one account at rest, something that goes wrong under it, and how it is seen to let go and to come back. */
import { expect, onTestFinished } from "vitest";
import { until } from "../support/until.ts";
import { createRandom, type SeededRandom } from "../whatsapp/holdings/random.ts";
import { askReady } from "./asked.ts";
import { judge } from "./invariants.ts";
import { settle } from "./settle.ts";
import { isOnline, openStand, type LinkedAccount, type Stand, type StartOptions } from "./stand.ts";
import { introduce, say } from "./traffic.ts";

export const PATIENCE_MS = 60_000;

export interface Scene {
  stand: Stand;
  account: LinkedAccount;
  random: SeededRandom;
  pid: number;
}

export async function aScene(seed: string, options: StartOptions = {}): Promise<Scene> {
  const stand = await openStand();
  onTestFinished(() => stand.stop());
  await stand.start(options);
  const account = await stand.link("s1");
  introduce(stand, account);
  expect(await settle(stand)).toEqual([]);
  return { stand, account, random: createRandom(seed), pid: stand.hub().pid };
}

/** Messages keep coming until the hub lets go of WhatsApp, which then keeps them. */
export async function letsGo({ stand, account, random }: Scene): Promise<void> {
  await until(
    "the hub to let go of WhatsApp",
    () => {
      if (isOnline(stand.emulator, account.number)) say(stand, account, random, 5);
      return !isOnline(stand.emulator, account.number);
    },
    { timeoutMs: PATIENCE_MS, everyMs: 100 },
  );
}

/** It is as if nothing had happened. */
export async function recovers({ stand, account }: Scene, { isReady = true } = {}): Promise<void> {
  await until("the hub to come back by itself", () => isOnline(stand.emulator, account.number), {
    timeoutMs: PATIENCE_MS,
  });
  if (isReady) await until("/readyz to say 200", async () => (await askReady(stand)).status === 200);
  expect(await settle(stand)).toEqual([]);
  expect(judge(stand)).toEqual({ lost: 0, doubled: 0, problems: [] });
  expect(stand.isDown()).toBe(false);
}
