/** Sending while the hub is away, over a hub whose answers the test makes, and a file as the bridge keeps it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { HubUnavailable } from "../../bridge/errors.ts";
import { createOutgoing, type Outgoing, type OutgoingParts } from "../../bridge/outgoing/outgoing.ts";
import { openOutgoingFile } from "../../bridge/state/outgoing-file.ts";
import { fixedClock, hours, type FixedClock } from "./fixed-clock.ts";
import { logBook, type LogBook } from "./log-book.ts";
import { until } from "./until.ts";

interface Taken {
  sessionId: string;
  to: string;
  text: unknown;
  key: string;
}

export interface OutgoingRig {
  outgoing: Outgoing;
  clock: FixedClock;
  log: LogBook;
  dir: string;
  /** Every try that reached the hub, whatever it answered. */
  tries: Taken[];
  /** What the hub took, once per key. */
  taken: Taken[];
  /** What the hub does with a try: throws, or lets it pass. */
  answers: (how: (order: Taken) => void | Promise<void>) => void;
  isAway: () => void;
  isBack: () => void;
  send: (
    text: string,
    order?: { to?: string; type?: string; key?: string; sessionId?: string; mayWait?: boolean },
  ) => Sent;
  /** The process ends without a word, and another one begins on its file. */
  reopen: () => Promise<OutgoingRig>;
  settled: () => Promise<unknown>;
}
type Sent = ReturnType<Outgoing["send"]>;

export const refusal = (
  status: number,
  code: string | null,
  retryAfterSeconds: number | null = null,
): HubUnavailable => new HubUnavailable(`The hub refused send: ${code}`, { status, code, retryAfterSeconds });

let keys = 0;

export async function openOutgoingRig(
  options: Partial<Pick<OutgoingParts, "ttlMs" | "most">> = {},
): Promise<OutgoingRig> {
  const dir = await mkdtemp(join(tmpdir(), "outgoing-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const [tries, taken]: [Taken[], Taken[]] = [[], []];
  const clock = fixedClock();
  let how: (order: Taken) => void | Promise<void> = () => undefined;
  const hub: OutgoingParts["hub"] = {
    sendMessage: async (sessionId, { to, message }, key) => {
      const order = { sessionId, to, text: message, key };
      tries.push(order);
      await how(order);
      const before = taken.findIndex((one) => one.key === key);
      if (before < 0) taken.push(order);
      return { messageId: `3A${before < 0 ? taken.length : before + 1}`, status: "sent" };
    },
  };

  const open = async (): Promise<OutgoingRig> => {
    const log = logBook();
    const orders = await openOutgoingFile({ dir, clock, log });
    const outgoing = createOutgoing({ hub, orders, clock, log, ttlMs: hours(23), ...options });
    outgoing.start();
    onTestFinished(() => outgoing.stop());
    return {
      ...{ outgoing, clock, log, dir, tries, taken },
      answers: (next) => (how = next),
      isAway: () => {
        how = () => {
          throw new HubUnavailable("The hub did not answer send (ECONNREFUSED).");
        };
      },
      isBack: () => (how = () => undefined),
      send: (text, order = {}) => {
        const { to = "34600111222", type = "text", sessionId = "s1" } = order;
        const { key = `key-${++keys}`, mayWait = true } = order;
        return outgoing.send(
          { sessionId, to, type, message: text },
          { idempotencyKey: key, mayWait: () => mayWait },
        );
      },
      reopen: open,
      settled: () =>
        until("nothing waits", () => {
          clock.advance(1_000);
          outgoing.start(); // looks at once
          return outgoing.figures().waiting === 0;
        }),
    };
  };
  return open();
}
