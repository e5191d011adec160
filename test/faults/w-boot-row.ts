/** W16: many sessions come back together after a kill. Few connect at a time, all of them do, and the API answers meanwhile. */
import { until } from "../support/until.ts";
import type { EmulatorEvent } from "../whatsapp/state/events.ts";
import type { FaultRow, RowOptions, RowResult } from "./row.ts";
import { judge } from "./invariants.ts";
import { settle } from "./settle.ts";
import { openStand, type LinkedAccount, type Stand } from "./stand.ts";

const AT_ONCE = 5;
/** A request of somebody who looks at the hub meanwhile; a machine that is busy with other things is slow at any time. */
const ANSWER_MS = 1000;
const BUSY_FACTOR = 10;
const PATIENCE_MS = 600_000;

async function bootTogether({ tries, say = () => undefined }: RowOptions): Promise<RowResult> {
  const stand = await openStand();
  try {
    await stand.start();
    const accounts: LinkedAccount[] = [];
    for (let n = 1; n <= tries; n++) {
      const size = { contacts: 2, chats: 1, groups: 0, messages: 0, activeChats: 0 };
      accounts.push(await stand.link(`s${n}`, { preset: "small", size }));
    }
    say(`${tries} sessions are linked`);
    await settle(stand);
    let calmMs = 0;
    for (let n = 0; n < 5; n++) calmMs = Math.max(calmMs, await answerMs(stand));
    await stand.kill();
    const { emulator } = stand;
    await until("all lines down", () =>
      accounts.every(({ number }) => emulator.account(number).devices.every(({ connected }) => !connected)),
    );
    for (const { number, people } of accounts)
      emulator.receive({ account: number, from: people[0] ?? "", kind: "text", text: "fault while away" });

    const since = emulator.lastEvent();
    const began = performance.now();
    const started = await stand.start();
    const slowest = await lookMeanwhile(stand, accounts);
    const ms = performance.now() - began;
    const most = mostAtOnce(emulator.events(since));
    const problems = await settle(stand);
    say(
      `ready after ${Math.round(started?.readyMs ?? 0)} ms, all online after ${Math.round(ms)} ms, ` +
        `${most} connecting at once at most, the slowest answer took ${Math.round(slowest)} ms`,
    );
    if (most > AT_ONCE) problems.push(`${most} sessions were connecting at once`);
    if (slowest > Math.max(ANSWER_MS, BUSY_FACTOR * calmMs))
      problems.push(`an answer took ${Math.round(slowest)} ms`);
    const { lost, doubled, problems: broken } = judge(stand);
    return {
      tried: tries,
      lost,
      doubled,
      recoveredMs: started?.readyMs ?? null,
      ordinaryMs: await stand.ordinaryStartMs(),
      problems: [...problems, ...broken],
    };
  } finally {
    await stand.stop();
  }
}

async function answerMs({ client }: Stand): Promise<number> {
  const asked = performance.now();
  await client.get("/api/sessions");
  return performance.now() - asked;
}

/** Until every account is online; the longest that the hub took to say how its sessions are. */
async function lookMeanwhile(stand: Stand, accounts: LinkedAccount[]): Promise<number> {
  let slowest = 0;
  const isOnline = ({ number }: LinkedAccount): boolean =>
    stand.emulator.account(number).devices.some(({ online }) => online);
  await until(
    "all online",
    async () => {
      slowest = Math.max(slowest, await answerMs(stand));
      return accounts.every(isOnline);
    },
    { timeoutMs: PATIENCE_MS, everyMs: 50 },
  );
  return slowest;
}

/** From the WebSocket that is opened until the device says that it is there, in the order in which WhatsApp saw it. */
function mostAtOnce(events: EmulatorEvent[]): number {
  let connecting = 0;
  let most = 0;
  for (const { type } of events) {
    if (type === "connection.opened") connecting++;
    if (type === "online" || type === "login.refused") connecting--;
    most = Math.max(most, connecting);
  }
  return most;
}

export const BOOT_ROW: FaultRow = {
  id: "W16",
  title: "many sessions come back together",
  tries: 7,
  manyTries: 200,
  run: bootTogether,
};
