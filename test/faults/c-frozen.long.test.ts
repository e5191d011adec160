/** C17: the process stands still for longer than a webhook may take, and goes on, as after a suspended machine. */
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { CrmRequest } from "../support/fake-crm.ts";
import { until } from "../support/until.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";
import { isInEarnest } from "./in-earnest.ts";
import { judge } from "./invariants.ts";
import { settle } from "./settle.ts";
import { isOnline, openStand } from "./stand.ts";
import { introduce, say } from "./traffic.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
/** The shortest time an endpoint can be given to answer. */
const TIMEOUT_MS = 5_000;
/** A whole minute where faults are looked at in earnest, `npm run faults`. */
const FROZEN_MS = isInEarnest() ? 60_000 : TIMEOUT_MS + 1_000;
const ANSWER_MS = 300;
/** Clocks of two processes on a busy machine. */
const SLACK_MS = 50;
const MESSAGES = 40;

test("C17: stopped and continued: what was on its way is tried once more, no lane has two, WhatsApp is there again", async () => {
  console.log(`C17: FAULT_SEED=${SEED}`);
  const random = createRandom(SEED);
  const stand = await openStand();
  onTestFinished(() => stand.stop());
  const { emulator, crm, client } = stand;
  await stand.start();
  const [endpoint] = (await client.get<{ endpoints: { id: string }[] }>("/api/endpoints")).endpoints;
  await client.put(`/api/endpoints/${endpoint?.id ?? ""}`, { timeoutMs: TIMEOUT_MS });
  const account = await stand.link("s1");
  introduce(stand, account);
  expect(await settle(stand)).toEqual([]);

  crm.answers({ kind: "slow", ms: ANSWER_MS });
  const before = crm.requests().length;
  say(stand, account, random, MESSAGES);
  await until("webhooks on their way", () => crm.requests().length > before, { everyMs: 5 });
  process.kill(stand.hub().pid, "SIGSTOP");
  emulator.fault({ kind: "terminate", account: account.number });
  say(stand, account, random, MESSAGES);
  // The one thing that is waited for here is time itself.
  await pause(FROZEN_MS);
  expect(isOnline(emulator, account.number)).toBe(false);
  const frozen = crm.requests().length;
  process.kill(stand.hub().pid, "SIGCONT");

  await stand.online(account);
  await until("webhooks again", () => crm.requests().length > frozen);
  expect(await settle(stand)).toEqual([]);
  expect(judge(stand)).toEqual({ lost: 0, doubled: 0, problems: [] });
  expect(overlaps(crm.requests().slice(before))).toEqual([]);
  expect(mostTries(crm.requests())).toBeLessThanOrEqual(2);
}, 600_000);

/** Requests that came while another of their lane had no answer yet. */
function overlaps(requests: CrmRequest[]): string[] {
  const latest = new Map<string, number>();
  const found: string[] = [];
  for (const { sessionId, chatId, at, webhookId } of requests) {
    const lane = `${sessionId}|${String(chatId)}`;
    if (at - (latest.get(lane) ?? 0) < ANSWER_MS - SLACK_MS) found.push(webhookId);
    latest.set(lane, at);
  }
  return found;
}

function mostTries(requests: CrmRequest[]): number {
  const tries = new Map<string, number>();
  for (const { webhookId } of requests) tries.set(webhookId, (tries.get(webhookId) ?? 0) + 1);
  return Math.max(...tries.values());
}
