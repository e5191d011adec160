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

interface Case {
  account: LinkedAccount;
  ending: Ending;
  /** It ended this way just before. */
  isAgain: boolean;
}

interface Shown {
  state: string;
  isConnected: boolean;
}

async function everyEnding({ tries, say = () => undefined }: RowOptions): Promise<RowResult> {
  const stand = await openStand();
  try {
    await stand.start();
    const linked: Case[] = [];
    for (const ending of ENDINGS)
      linked.push({ ending, account: await stand.link(`w${ending.code}`), isAgain: false });
    const problems = await settle(stand);
    let tried = 0;
    for (let pass = 0; pass < tries; pass++)
      for (const way of WAYS) {
        const found = await Promise.all(linked.map((one) => end(stand, one, way)));
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
async function end(stand: Stand, one: Case, way: Way): Promise<string[]> {
  const { account, ending, isAgain } = one;
  const { sessionId, number, people } = account;
  const { code, becomes, becomesAgain = becomes } = ending;
  const isPersistent = way === "login" && TOO_OLD.includes(code);
  const wanted = isPersistent ? "outdated" : isAgain ? becomesAgain : becomes;
  // What a person connected anew begins anew.
  one.isAgain = !isAgain;
  const told = eventsOf(stand, sessionId).length;
  const since = performance.now();
  await strike(stand, account, { code, way, times: isPersistent ? TOO_OLD_TIMES : 1 });
  const problems = await arrive(stand, account, { wanted, since });
  const isQuiet = performance.now() - since < GRACE_MS;

  const kept = readFolder(stand.dataDir, (folder) => folder.withCredentials().has(sessionId));
  if (kept !== (wanted !== "logged_out"))
    problems.push(kept ? "credentials were kept" : "credentials are gone");
  problems.push(...(await toldRightly(stand, sessionId, { told, wanted, isQuiet })));

  // What is said meanwhile has to arrive once it is back; a device that is logged out is owed nothing.
  if (wanted !== "logged_out")
    stand.emulator.receive({
      account: number,
      from: people[0] ?? "",
      kind: "text",
      text: `fault ${way} ${code}`,
    });
  await comeBack(stand, account, wanted);
  return problems.map((problem) => `${way} ${code}: ${problem}`);
}

type Wanted = Ending["becomes"] | "replaced";

async function arrive(
  { emulator, client }: Stand,
  { sessionId, number }: LinkedAccount,
  { wanted, since }: { wanted: Wanted; since: number },
): Promise<string[]> {
  const stateOf = async (): Promise<string> =>
    (await client.get<Shown>(`/api/sessions/${sessionId}/status`)).state;
  const isThere = async (): Promise<boolean> => {
    if (wanted === "lost") return !isOnline(emulator, number) && performance.now() - since > AWAY_MS;
    if (wanted === "connected") return isOnline(emulator, number) && (await stateOf()) === "connected";
    return (await stateOf()) === wanted;
  };
  return until(wanted, isThere, { timeoutMs: PATIENCE_MS, everyMs: 50 }).then(
    () => [],
    async () => [`is ${await stateOf()}, not ${wanted}`],
  );
}

/** An end is told once, a short loss not at all; a loss that took longer than the grace period is told in between. */
async function toldRightly(
  stand: Stand,
  sessionId: string,
  { told, wanted, isQuiet }: { told: number; wanted: Wanted; isQuiet: boolean },
): Promise<string[]> {
  const isFinal = wanted !== "connected" && wanted !== "lost";
  if (!isFinal && !isQuiet) return [];
  await until("its webhook", () => !isFinal || eventsOf(stand, sessionId).length > told).catch(() => null);
  const events = eventsOf(stand, sessionId).slice(told);
  const right = isFinal ? events.every((event) => event === "session.disconnected") : events.length === 0;
  const many = isQuiet ? events.length === (isFinal ? 1 : 0) : events.length > 0;
  return right && many ? [] : [`was told as ${events.join(", ") || "nothing"}`];
}

async function strike(
  { emulator, client }: Stand,
  { sessionId, number }: LinkedAccount,
  { code, way, times }: { code: number; way: Way; times: number },
): Promise<void> {
  const before = emulator.lastEvent();
  if (way === "stream-error") emulator.fault({ kind: "stream-error", account: number, code });
  else if (way === "failure") emulator.fault({ kind: "failure", account: number, reason: code });
  else {
    emulator.fault({ kind: "login-failure", account: number, reason: code, count: times });
    await client.post(`/api/sessions/${sessionId}/restart`);
  }
  const types = [way === "login" ? "login.refused" : "connection.closed"];
  const struck = await emulator.waitFor({ types, account: number, after: before, timeoutMs: PATIENCE_MS });
  if (struck.length === 0) throw new Error(`${way} ${code} did not strike`);
}

async function comeBack(
  { client, emulator }: Stand,
  { sessionId, number }: LinkedAccount,
  from: Wanted,
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
    // An alert says that somebody should look; it is told beside the change, and has tests of its own.
    .filter(
      ({ sessionId, event }) =>
        sessionId === about && event.startsWith("session.") && event !== "session.alert",
    )
    .map(({ event }) => event);

export const DISCONNECT_ROW: FaultRow = {
  id: "W1",
  title: "each disconnect code, in a stream error, in a failure and at login",
  tries: 1,
  manyTries: 3,
  run: everyEnding,
};
