/** C1 to C9: SIGKILL on the road of a message, from the stanza that is seen to the answer that is noted. */
import {
  afterAnswer,
  atPoint,
  atRandom,
  atReceipt,
  beforeAnswer,
  type MakeBlow,
  type Unnoted,
} from "./blows.ts";
import { killAgainAndAgain, type KillPlan } from "./kill-run.ts";
import type { FaultRow } from "./row.ts";
import type { Stand } from "./stand.ts";

const TRIES = 10;
const MANY_TRIES = 50;

const row = (id: string, title: string, plan: () => KillPlan): FaultRow => ({
  id,
  title,
  tries: TRIES,
  manyTries: MANY_TRIES,
  run: (options) => killAgainAndAgain(plan(), options),
});

const blows =
  (...all: MakeBlow[]): (() => KillPlan) =>
  () => ({ blows: all });

/** A big batch waits; the kill comes while it is worked off, before its end is announced or right after. */
const inOfflineBatch = (): KillPlan => ({
  blows: [
    atReceipt,
    atPoint("after-stanza"),
    atPoint("before-commit"),
    atPoint("after-commit"),
    atPoint("in-record"),
  ],
  upToOffline: 40,
  onlyOffline: true,
});

/** What the CRM stored and the hub did not note comes once more; `share` of the kills have to prove it. */
const sentAgain = (makeBlow: (unnoted: Unnoted) => MakeBlow, share: number) => (): KillPlan => {
  const unnoted: Unnoted = { ids: [] };
  return {
    blows: [makeBlow(unnoted)],
    expectations: ({ crm }: Stand) => {
      const times = (id: string): number => crm.requests().filter(({ webhookId }) => webhookId === id).length;
      const again = unnoted.ids.filter((id) => times(id) > 1).length;
      return again >= unnoted.ids.length * share
        ? []
        : [`only ${again} of ${unnoted.ids.length} unnoted deliveries were made again`];
    },
  };
};

/** No place is aimed at: what the aimed rows do not think of. */
export const RANDOM_KILLS: FaultRow = {
  id: "KILLS",
  title: "killed at random moments, with live and offline traffic",
  tries: 4,
  manyTries: 300,
  run: (options) => killAgainAndAgain({ blows: [atRandom] }, options),
};

export const KILL_ROWS: FaultRow[] = [
  row("C1", "killed when a stanza is seen, before it is decrypted", blows(atPoint("after-stanza"))),
  row("C2", "killed before ratchet and plaintext are committed", blows(atPoint("before-commit"))),
  row("C3", "killed after that commit, before the receipt", blows(atPoint("after-commit"))),
  row(
    "C4",
    "killed between the commit and the record, and in the tick of the receipt",
    blows(atReceipt, atPoint("before-upsert"), atReceipt, atPoint("after-receipt")),
  ),
  row("C5", "killed in the middle of an offline batch", inOfflineBatch),
  row(
    "C6",
    "killed inside the transaction that records, and at random moments under load",
    blows(atPoint("in-record"), atRandom, atPoint("before-record"), atRandom),
  ),
  row(
    "C7",
    "killed after the record, before a delivery is tried",
    blows(atPoint("after-record"), atPoint("after-upsert")),
  ),
  row("C8", "killed when the CRM has the webhook and has not answered", sentAgain(beforeAnswer, 1)),
  row("C9", "killed when the CRM has answered and nobody has noted it", sentAgain(afterAnswer, 0.5)),
];
