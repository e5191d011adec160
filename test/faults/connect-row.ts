/**
 * Accounts are linked one after the other, most of them with a fault of their own on the way. Each has to end open, or in
 * a state that says truthfully why it is not.
 */
import { until } from "../support/until.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";
import type { FaultRequest } from "../whatsapp/operations/faults.ts";
import type { FaultRow, RowOptions, RowResult } from "./row.ts";
import { openStand, type Stand } from "./stand.ts";

const TRIES = 500;
/** Of a hundred links so many have to end as they should. */
const ENOUGH = 0.99;
const PATIENCE_MS = 90_000;

interface Shown {
  state: string;
  isConnected: boolean;
  reason: { code: string; advice: string } | null;
}

interface Obstacle {
  name: string;
  /** How often it is drawn, beside the others. */
  weight: number;
  /** Armed when the session is told to connect, or when its code is scanned. */
  when: "connecting" | "scanning";
  faults: (account: string) => FaultRequest[];
  /** How it has to end, with the code of its reason where it is not open. */
  ends: { state: "connected" } | { state: string; code: string };
}

const OPEN = { state: "connected" } as const;
const refusedLogin = (reason: number, weight: number, ends: Obstacle["ends"]): Obstacle => ({
  name: `login refused with ${reason}`,
  weight,
  when: "scanning",
  faults: (account) => [{ kind: "login-failure", account, reason }],
  ends,
});
const atQuery = (name: string, fault: { code: number } | { drop: true } | { delayMs: number }): Obstacle => ({
  name,
  weight: 5,
  when: "scanning",
  faults: (account) => [{ kind: "iq", account, ...fault }],
  ends: OPEN,
});

const OBSTACLES: Obstacle[] = [
  { name: "nothing", weight: 30, when: "connecting", faults: () => [], ends: OPEN },
  {
    name: "upgrade refused once",
    weight: 10,
    when: "connecting",
    faults: () => [{ kind: "reject-upgrade", status: 503 }],
    ends: OPEN,
  },
  {
    name: "upgrade refused three times",
    weight: 5,
    when: "connecting",
    faults: () => [{ kind: "reject-upgrade", status: 502, count: 3 }],
    ends: OPEN,
  },
  {
    // Its deadline is 25 s: one is enough to see in a run.
    name: "upgrade never answered",
    weight: 1,
    when: "connecting",
    faults: () => [{ kind: "stall-upgrade" }],
    ends: OPEN,
  },
  {
    name: "a stranger's certificate",
    weight: 5,
    when: "connecting",
    faults: () => [{ kind: "foreign-root" }],
    ends: OPEN,
  },
  {
    name: "login cut",
    weight: 10,
    when: "scanning",
    faults: (account) => [{ kind: "cut-after", account, stanzas: 2 }],
    ends: OPEN,
  },
  atQuery("a query refused", { code: 500 }),
  atQuery("a query late", { delayMs: 1500 }),
  refusedLogin(500, 5, OPEN),
  refusedLogin(503, 10, OPEN),
  refusedLogin(401, 7, { state: "logged_out", code: "401" }),
  refusedLogin(403, 7, { state: "banned", code: "403" }),
];

async function linkAll({ tries, seed, say = () => undefined }: RowOptions): Promise<RowResult> {
  const random = createRandom(seed);
  const drawn = OBSTACLES.flatMap((obstacle) => Array.from({ length: obstacle.weight }, () => obstacle));
  const stand = await openStand();
  try {
    await stand.start();
    const astray: string[] = [];
    for (let n = 0; n < tries; n++) {
      const obstacle = random.pick(drawn);
      const problem = await linkOnce(stand, `connect-${n}`, obstacle);
      if (problem !== null) astray.push(`${obstacle.name}: ${problem}`);
      say(`${n + 1}/${tries} ${obstacle.name}${problem === null ? "" : ` — ${problem}`}`);
    }
    const isEnough = tries - astray.length >= tries * ENOUGH;
    return {
      tried: tries,
      lost: 0,
      doubled: 0,
      recoveredMs: null,
      ordinaryMs: null,
      problems: isEnough ? [] : astray,
    };
  } finally {
    await stand.stop();
  }
}

/** Null when it ended as it should. */
async function linkOnce(
  { emulator, client }: Stand,
  sessionId: string,
  { when, faults, ends }: Obstacle,
): Promise<string | null> {
  const { number } = emulator.createAccount({ preset: "empty" });
  const arm = (moment: Obstacle["when"]): void => {
    if (when === moment) for (const fault of faults(number)) emulator.fault(fault);
  };
  const shown = (): Promise<Shown> => client.get<Shown>(`/api/sessions/${sessionId}/status`);
  try {
    await client.post("/api/sessions", { sessionId });
    arm("connecting");
    await client.post(`/api/sessions/${sessionId}/connect`);
    const qr = await until(
      "a code",
      () =>
        client.get<{ qr: string }>(`/api/sessions/${sessionId}/qr`).then(
          (answer) => answer.qr,
          () => null,
        ),
      { timeoutMs: PATIENCE_MS, everyMs: 100 },
    );
    arm("scanning");
    await emulator.scanQr(qr, number);
    // One answer: between two of them an account may be cut off, and both be true.
    const { reason } = await until(
      ends.state,
      // A line that is cut keeps its state for a while, and says that it is down: that is no end.
      async () =>
        [await shown()].find(
          ({ state, isConnected }) => state === ends.state && (state !== "connected" || isConnected),
        ),
      { timeoutMs: PATIENCE_MS, everyMs: 20 },
    );
    if (ends.state === "connected") return null;
    if (!("code" in ends) || reason?.code !== ends.code)
      return `says ${reason?.code ?? "nothing"} as its reason`;
    return reason.advice === "" ? "gives no advice" : null;
  } catch (cause) {
    const { state, reason } = await shown();
    return `${state} (${reason?.code ?? "no reason"}): ${cause instanceof Error ? cause.message : String(cause)}`;
  } finally {
    emulator.clearFaults();
    await client.delete(`/api/sessions/${sessionId}`);
  }
}

export const CONNECT_ROW: FaultRow = {
  id: "CONNECTS",
  title: "accounts linked one after the other, with random faults on the way",
  tries: 5,
  manyTries: TRIES,
  run: linkAll,
};
