/** Sends that wait for WhatsApp's word on their message: the facts that are recorded answer them. */
import type { Fact } from "../core/facts.ts";

export type AckOutcome =
  | { taken: true }
  /** `code`: WhatsApp's number, or a short word of ours. */
  | { taken: false; code: string; error: string };

export interface AckWaiter {
  outcome: Promise<AckOutcome>;
  /** Nobody waits any more; `outcome` stays open. */
  cancel(): void;
}

export interface AckWaiters {
  /** Begins to wait; to be called before the message leaves, so that a fast answer is not missed. */
  wait(sessionId: string, messageId: string): AckWaiter;
  /** Facts just recorded. */
  tell(sessionId: string, facts: Fact[]): void;
}

type Resolve = (outcome: AckOutcome) => void;

export function createAckWaiters(): AckWaiters {
  const waiting = new Map<string, Set<Resolve>>();
  const nameOf = (sessionId: string, messageId: string): string => `${sessionId} ${messageId}`;

  const settle = (name: string, outcome: AckOutcome): void => {
    const resolves = waiting.get(name);
    waiting.delete(name);
    for (const resolve of resolves ?? []) resolve(outcome);
  };

  return {
    wait: (sessionId, messageId) => {
      const name = nameOf(sessionId, messageId);
      const { promise, resolve } = withResolvers<AckOutcome>();
      const resolves = waiting.get(name) ?? new Set<Resolve>();
      waiting.set(name, resolves.add(resolve));
      return {
        outcome: promise,
        cancel: () => {
          resolves.delete(resolve);
          if (resolves.size === 0 && waiting.get(name) === resolves) waiting.delete(name);
        },
      };
    },
    tell: (sessionId, facts) => {
      if (waiting.size === 0) return;
      for (const fact of facts) {
        const outcome = fact.kind === "status" ? outcomeOf(fact) : null;
        if (fact.kind !== "status" || outcome === null) continue;
        for (const id of fact.ids) settle(nameOf(sessionId, id), outcome);
      }
    },
  };
}

/** Any receipt proves that the server took the message. */
function outcomeOf(fact: Fact & { kind: "status" }): AckOutcome | null {
  switch (fact.status) {
    case "pending":
      return null;
    case "failed":
      return { taken: false, code: fact.code ?? "unknown", error: fact.error ?? "WhatsApp refused it." };
    case "sent":
    case "delivered":
    case "read":
    case "deleted":
      return { taken: true };
  }
}

/** `Promise.withResolvers` of newer runtimes. */
function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
