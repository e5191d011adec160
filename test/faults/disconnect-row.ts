/** W1: WhatsApp ends the connection with each code, in a stream error, a failure and at login; each session takes one code. */
import { until } from "../support/until.ts";
import { ENDINGS, TOO_OLD, TOO_OLD_TIMES, type Ending } from "./disconnect-table.ts";
import { readFolder } from "./folder.ts";
import { judge } from "./invariants.ts";
import type { FaultRow, RowOptions, RowResult } from "./row.ts";
import { settle } from "./settle.ts";
import { isOnline, openStand, type LinkedAccount, type Stand } from "./stand.ts";

const WAYS = ["stream-error", "failure", "login"] as const;
type Way = (typeof WAYS)[number];

const PATIENCE_MS = 60_000;
/** Up to here a loss is nobody's business. */
const GRACE_MS = 15_000;
/** How long a session that another program replaced has to stay away, as far as a test can wait. */
const AWAY_MS = 2500;

interface Shown {
  state: string;
  isConnected: boolean;
}

async function everyEnding({ tries, say = () => undefined }: RowOptions): Promise<RowResult> {
  const stand = await openStand();
  try {
    await stand.start();
    const linked: { ending: Ending; account: LinkedAccount }[] = [];
    for (const ending of ENDINGS) linked.push({ ending, account: await stand.link(`w${ending.code}`) });
    const problems = await settle(stand);
    let tried = 0;
    for (let pass = 0; pass < tries; pass++)
      for (const way of WAYS) {
        const found = await Promise.all(linked.map((one) => end(stand, one.account, one.ending, way)));
        // The way back has told the CRM things as well: they are not to be taken for those of the next ending.
        problems.push(...found.flat(), ...(await settle(stand)));
        tried += found.length;
        say(`${way}: ${found.flat().join("; ") || "as the table says"}`);
      }
    const { lost, doubled, problems: broken } = judge(stand);
    return { tried, lost, doubled, recoveredMs: null, ordinaryMs: null, problems: [...problems, ...broken] };
  } finally {
    await stand.stop();
  }
}

/** One case, and the way back to a connected session. */
async function end(
  stand: Stand,
  account: LinkedAccount,
  { code, becomes }: Ending,
  way: Way,
): Promise<string[]> {
  const { emulator, client } = stand;
  const { sessionId, number } = account;
  const isPersistent = way === "login" && TOO_OLD.includes(code);
  const wanted = isPersistent ? "outdated" : becomes;
  const told = eventsOf(stand, sessionId).length;
  const since = performance.now();
  await strike(stand, account, { code, way, times: isPersistent ? TOO_OLD_TIMES : 1 });

  const problems: string[] = [];
  const expect = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(`${way} ${code}: ${problem}`);
  };
  const shown = (): Promise<Shown> => client.get<Shown>(`/api/sessions/${sessionId}/status`);
  const arrived = await until(
    wanted,
    async () => {
      if (wanted === "lost") return !isOnline(emulator, number) && performance.now() - since > AWAY_MS;
      const { state } = await shown();
      return wanted === "connected" ? state === "connected" && isOnline(emulator, number) : state === wanted;
    },
    { timeoutMs: PATIENCE_MS, everyMs: 50 },
  ).catch(() => false);
  const tookMs = performance.now() - since;
  expect(arrived, `is ${(await shown()).state}, not ${wanted}`);

  const kept = readFolder(stand.dataDir, (folder) => folder.withCredentials().has(sessionId));
  expect(kept === (wanted !== "logged_out"), kept ? "credentials were kept" : "credentials were taken away");

  const isFinal = wanted !== "connected" && wanted !== "lost";
  await until("its webhooks", () => !isFinal || eventsOf(stand, sessionId).length > told).catch(() => null);
  const events = eventsOf(stand, sessionId).slice(told);
  // A loss that took longer than it may be kept quiet about is told in between.
  const isQuiet = tookMs < GRACE_MS;
  if (isFinal)
    expect(
      events.length > 0 &&
        events.every((event) => event === "session.disconnected") &&
        (events.length === 1 || !isQuiet),
      `was told as ${events.join(", ") || "nothing"}`,
    );
  else if (isQuiet) expect(events.length === 0, `a short loss was told as ${events.join(", ")}`);

  // What is said meanwhile has to arrive once it is back; a device that is logged out is owed nothing.
  if (wanted !== "logged_out")
    emulator.receive({
      account: number,
      from: account.people[0] ?? "",
      kind: "text",
      text: `fault ${way} ${code}`,
    });
  await comeBack(stand, account, wanted);
  return problems;
}

async function strike(
  { emulator, client }: Stand,
  { sessionId, number }: LinkedAccount,
  { code, way, times }: { code: number; way: Way; times: number },
): Promise<void> {
  if (way === "stream-error") emulator.fault({ kind: "stream-error", account: number, code });
  else if (way === "failure") emulator.fault({ kind: "failure", account: number, reason: code });
  else {
    emulator.fault({ kind: "login-failure", account: number, reason: code, count: times });
    await client.post(`/api/sessions/${sessionId}/restart`);
  }
  await until(`${way} ${code} to strike`, () =>
    way === "login"
      ? emulator
          .events(0, { types: ["login.refused"], account: number })
          .some(({ detail }) => detail?.["reason"] === code)
      : !isOnline(emulator, number),
  );
}

async function comeBack(
  { client, emulator }: Stand,
  { sessionId, number }: LinkedAccount,
  from: string,
): Promise<void> {
  if (from === "connected") return;
  if (from === "lost") await client.post(`/api/sessions/${sessionId}/restart`);
  else await client.post(`/api/sessions/${sessionId}/connect`, { wait: 0 });
  if (from === "logged_out") {
    const { qr } = await client.get<{ qr: string }>(`/api/sessions/${sessionId}/qr`);
    await emulator.scanQr(qr, number);
  }
  await until(
    `${sessionId} back`,
    async () =>
      (await client.get<Shown>(`/api/sessions/${sessionId}/status`)).isConnected &&
      isOnline(emulator, number),
    { timeoutMs: PATIENCE_MS },
  );
}

const eventsOf = ({ crm }: Stand, about: string): string[] =>
  crm
    .accepted()
    .filter(({ sessionId, event }) => sessionId === about && event.startsWith("session."))
    .map(({ event }) => event);

export const DISCONNECT_ROW: FaultRow = {
  id: "W1",
  title: "each disconnect code, in a stream error, in a failure and at login",
  tries: 1,
  manyTries: 3,
  run: everyEnding,
};
