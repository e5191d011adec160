/** The life of a bridge: what begins when, what is waited for, and what is stopped in which order. */
import { catchUp } from "./catch-up.ts";
import type { CrmGate } from "./crm-gate.ts";
import type { ScheduledWork } from "./hooks.ts";
import type { Log } from "./log.ts";

/** What runs when the bridge stops may take so long; then the hub is hung up on. */
const STOP_GRACE_MS = 3_000;

interface Worker {
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export interface LifeParts {
  gate: Pick<CrmGate, "open" | "isOpen" | "whenOpen" | "stop">;
  receiver: Worker;
  feed: Worker & { read(): Promise<unknown> };
  queue: Worker & { start(): Promise<void> };
  outgoing: Worker & { start(): void };
  reconcile: { sessions(): Promise<unknown> };
  directory: { idle(): Promise<void> } | null;
  scheduled: ScheduledWork[];
  /** What has callers: no new ones are let in, and those that wait are let go. */
  doors: { stop(): Promise<void> };
  /** Closed last, in this order. */
  hub: { close(): Promise<void> };
  adapter: { close(): Promise<void> };
  state: { close(): Promise<void> };
  log: Log;
}

export interface Life {
  /** Resolves once everything is under way; what needs the CRM or the hub waits for them behind. When it throws, all is stopped. */
  start(): Promise<void>;
  idle(): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

export function createLife(parts: LifeParts): Life {
  const { gate, receiver, feed, queue, outgoing, reconcile, directory, scheduled, doors, hub, log } = parts;
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  let begun: Promise<void> = Promise.resolve();

  /** The CRM is there: what was left undone is taken up, then what was missed is read. */
  const begin = async (): Promise<void> => {
    await gate.whenOpen();
    if (isStopping()) return;
    await queue.start();
    for (const work of scheduled) {
      // What was told to stop before it began would never hear of it again.
      if (isStopping()) return;
      await work.start();
    }
    const work = async (): Promise<void> => {
      await feed.read();
      if (!isStopping()) await reconcile.sessions();
    };
    await catchUp({ work, log, signal: stopping.signal });
  };

  const stop = async (): Promise<void> => {
    stopping.abort();
    gate.stop();
    const running = Promise.all([
      receiver.stop(),
      doors.stop(),
      feed.stop(),
      queue.stop(),
      outgoing.stop(),
      ...scheduled.map((work) => work.stop()),
    ]);
    // A hub that keeps the bridge waiting is hung up on after a while, so that whoever waits for it can end.
    const late = setTimeout(() => void hub.close(), STOP_GRACE_MS);
    await running;
    clearTimeout(late);
    await hub.close();
    await begun;
    await parts.adapter.close();
    await parts.state.close();
  };

  let stopped: Promise<void> | undefined;
  const stopOnce = (): Promise<void> => (stopped ??= stop());
  return {
    start: async () => {
      outgoing.start(); // what waits for the hub needs no CRM
      await gate.open().catch(async (cause: unknown) => {
        // Whoever cannot be started holds no port and no folder, and sends nothing.
        await stopOnce();
        throw cause;
      });
      begun = begin().catch((cause: unknown) => {
        log.error({ err: cause }, "bridge.begin_failed");
      });
    },
    idle: async () => {
      if (gate.isOpen()) await begun;
      await receiver.idle();
      await feed.idle();
      await queue.idle();
      await outgoing.idle();
      await directory?.idle();
    },
    stop: stopOnce,
  };
}
