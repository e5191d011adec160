/** Small faults, as an ordinary week brings them, one every few seconds: chance decides which, whom and when. */
import { setTimeout as pause } from "node:timers/promises";
import type { SeededRandom } from "../../test/whatsapp/holdings/random.ts";
import type { SoakAccount, SoakStand } from "./stand.ts";

const EVERY_MS = 8_000;
/** How much sooner or later than that. */
const SWING_MS = 6_000;
const CRM_AWAY_MS = 3_000;

type Strike = (stand: SoakStand, account: SoakAccount) => Promise<unknown>;

const STRIKES: Record<string, Strike> = {
  "connection reset": ({ whatsapp }, { number }) => whatsapp.fault({ kind: "reset", account: number }),
  "connection closed": ({ whatsapp }, { number }) => whatsapp.fault({ kind: "close", account: number }),
  "stream error 503": ({ whatsapp }, { number }) =>
    whatsapp.fault({ kind: "stream-error", account: number, code: 503 }),
  "restart asked for (515)": ({ whatsapp }, { number }) =>
    whatsapp.fault({ kind: "stream-error", account: number, code: 515 }),
  "cut and refused once": async ({ whatsapp }, { number }) => {
    await whatsapp.fault({ kind: "reject-upgrade", account: number, count: 1 });
    await whatsapp.fault({ kind: "terminate", account: number });
  },
  "a message three times": ({ whatsapp }, { number }) =>
    whatsapp.fault({ kind: "duplicate", account: number, times: 3, count: 1 }),
  "a receipt lost": ({ whatsapp }, { number }) =>
    whatsapp.fault({ kind: "lose-receipt", account: number, count: 1 }),
  "a damaged message": ({ whatsapp }, { number }) =>
    whatsapp.fault({ kind: "corrupt", account: number, count: 1 }),
  "the CRM answers badly": ({ crm }) => {
    crm.answersNext({ kind: "answer", status: 500 }, { kind: "reset" }, { kind: "answer", status: 503 });
    return Promise.resolve();
  },
  "the CRM is away": async ({ crm }) => {
    await crm.goesDown();
    await pause(CRM_AWAY_MS);
    await crm.comesBack();
  },
};

export interface Trouble {
  struck(): number;
  /** Resolves when the last fault is over; none is armed any more, and every account has to log in once more. */
  stop(): Promise<void>;
}

export function startTrouble(
  stand: SoakStand,
  { random, say }: { random: SeededRandom; say: (text: string) => void },
): Trouble {
  const stopping = new AbortController();
  let struck = 0;
  const running = (async () => {
    for (;;) {
      await pause(EVERY_MS - SWING_MS + random.int(2 * SWING_MS), undefined, stopping);
      const [name, strike] = random.pick(Object.entries(STRIKES));
      const account = random.pick(stand.accounts);
      say(`${account.sessionId}: ${name}`);
      await strike(stand, account);
      struck += 1;
    }
  })();
  // Looked at in `stop`, which may be much later.
  const ended = running.catch((cause: unknown) => cause);
  return {
    struck: () => struck,
    stop: async () => {
      stopping.abort();
      const cause = await ended;
      if (!(cause instanceof Error && cause.name === "AbortError")) throw cause;
      await stand.whatsapp.clearFaults();
      // Whose receipt was lost is owed until the next login.
      for (const { number } of stand.accounts) await stand.whatsapp.fault({ kind: "close", account: number });
    },
  };
}
