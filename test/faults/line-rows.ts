/** W2 and W5: what the line to WhatsApp does to messages: it drops in the middle of a batch, and delivers things again. */
import { until } from "../support/until.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";
import { readFolder } from "./folder.ts";
import { judge } from "./invariants.ts";
import type { FaultRow, RowOptions, RowResult } from "./row.ts";
import { settle } from "./settle.ts";
import { isOnline, openStand, type LinkedAccount, type Stand } from "./stand.ts";
import { introduce, say } from "./traffic.ts";

const IN_A_BATCH = 10;
const DUPLICATES = 5;
const PATIENCE_MS = 30_000;

/** Runs `strike` so many times on a linked, introduced hub that is never killed, and judges when all is at rest. */
async function onOneLine(
  { tries, say: tell = () => undefined }: RowOptions,
  accounts: string[],
  strike: (stand: Stand, accounts: LinkedAccount[]) => Promise<string[]>,
  recover: (stand: Stand) => Promise<void> = () => Promise.resolve(),
): Promise<RowResult> {
  const stand = await openStand();
  try {
    await stand.start();
    const linked: LinkedAccount[] = [];
    for (const sessionId of accounts) linked.push(await stand.link(sessionId));
    for (const account of linked) introduce(stand, account);
    const problems = await settle(stand);
    let tried = 0;
    for (; tried < tries; tried++) {
      const found = await strike(stand, linked);
      problems.push(...found);
      tell(`${tried + 1}/${tries}${found.length > 0 ? ` — ${found.join("; ")}` : ""}`);
    }
    await recover(stand);
    problems.push(...(await settle(stand)));
    const { lost, doubled, problems: broken } = judge(stand);
    return { tried, lost, doubled, recoveredMs: null, ordinaryMs: null, problems: [...problems, ...broken] };
  } finally {
    await stand.stop();
  }
}

const theOnly = (accounts: LinkedAccount[]): LinkedAccount => {
  const [account] = accounts;
  if (account === undefined) throw new Error("no account is linked");
  return account;
};

/** Each drop leaves the rest of the batch for the next connection, which brings more and drops again. */
function dropsInBatches(options: RowOptions): Promise<RowResult> {
  const random = createRandom(options.seed);
  return onOneLine(
    options,
    ["s1"],
    async ({ emulator, client, ...stand }, accounts) => {
      const account = theOnly(accounts);
      const { number, sessionId } = account;
      // A login that is just replacing the line that is cut here makes it look unbroken: cut until it is down.
      await until(
        "the line down",
        () => {
          const isDown = !isOnline(emulator, number);
          if (!isDown) emulator.fault({ kind: "reset", account: number });
          return isDown;
        },
        { everyMs: 100 },
      );
      say({ emulator }, account, random, IN_A_BATCH);
      emulator.fault({ kind: "cut-after", account: number, stanzas: 1 + random.int(IN_A_BATCH) });
      const before = emulator.lastEvent();
      // By order: the waits between tries of its own would grow with every drop.
      await client.post(`/api/sessions/${sessionId}/restart`);
      const used = await emulator.waitFor({ types: ["fault.used"], after: before, timeoutMs: PATIENCE_MS });
      const quick = readFolder(stand.dataDir, (folder) => folder.quickCheck());
      return [...(used.length > 0 ? [] : ["the batch was not cut"]), ...(quick === "ok" ? [] : [quick])];
    },
    async ({ emulator, client }) => {
      emulator.clearFaults();
      await client.post("/api/sessions/s1/restart");
    },
  );
}

/** The same stanza five times, old ciphertext under a new id, one group's ciphertext in two sessions. */
function deliveredAgain(options: RowOptions): Promise<RowResult> {
  const random = createRandom(options.seed);
  return onOneLine(options, ["s1", "s2"], async (stand, [one, other]) => {
    if (one === undefined || other === undefined) throw new Error("two accounts are needed");
    return [
      ...(await fiveTimes(stand, one)),
      ...(await underNewId(stand, one, `3AF0${random.hex(16)}`)),
      ...(await inBoth(stand, one, other)),
    ];
  });
}

async function fiveTimes({ emulator }: Stand, { number, people }: LinkedAccount): Promise<string[]> {
  const { extraReceipts: before } = emulator.ledgerSummary(number);
  emulator.fault({ kind: "duplicate", account: number, times: DUPLICATES });
  emulator.receive({ account: number, from: people[0] ?? "", kind: "text", text: "fault five times" });
  const extra = (): number => emulator.ledgerSummary(number).extraReceipts - before;
  return until("a receipt for each copy", () => extra() === DUPLICATES - 1, { timeoutMs: PATIENCE_MS }).then(
    () => [],
    () => [`${extra() + 1} receipts for ${DUPLICATES} copies`],
  );
}

async function underNewId(
  stand: Stand,
  { number, people, sessionId }: LinkedAccount,
  as: string,
): Promise<string[]> {
  const { emulator, dataDir } = stand;
  const from = people[1] ?? "";
  const first = emulator.receive({ account: number, from, kind: "text", text: "fault once" });
  await settle(stand);
  emulator.replay({ account: number, id: first.id, as });
  // Of the same person, so that it is worked off after the replay.
  emulator.receive({ account: number, from, kind: "text", text: "fault after it" });
  await settle(stand);
  const stored = readFolder(dataDir, (folder) => folder.messages());
  return stored.includes(`${sessionId} ${as}`) ? ["old ciphertext under a new id became a message"] : [];
}

async function inBoth(stand: Stand, one: LinkedAccount, other: LinkedAccount): Promise<string[]> {
  const { emulator, dataDir } = stand;
  const from = one.people[0] ?? "";
  const group = emulator.createGroup({ subject: "fault", members: [from, one.number, other.number] });
  const { id } = emulator.receive({
    account: one.number,
    from,
    group: group.id,
    kind: "text",
    text: "fault to both",
  });
  await settle(stand);
  const stored = readFolder(dataDir, (folder) => folder.messages());
  const copies = (sessionId: string): number => stored.filter((key) => key === `${sessionId} ${id}`).length;
  return copies("s1") === 1 && copies("s2") === 1
    ? []
    : [`a message of a shared group is ${copies("s1")} times in s1 and ${copies("s2")} times in s2`];
}

export const LINE_ROWS: FaultRow[] = [
  {
    id: "W2",
    title: "the connection drops in the middle of an offline batch",
    tries: 20,
    manyTries: 50,
    run: dropsInBatches,
  },
  {
    id: "W5",
    title: "the same stanza five times, old ciphertext under a new id, one ciphertext in two sessions",
    tries: 2,
    manyTries: 20,
    run: deliveredAgain,
  },
];
