import { expect, test } from "vitest";
import { createLife, type LifeParts } from "../../bridge/life.ts";
import { logBook } from "../support/log-book.ts";

const nothing = (): Promise<void> => Promise.resolve();
const worker = { idle: nothing, stop: nothing };

function aBridge(change: Partial<LifeParts>): LifeParts {
  return {
    gate: { open: nothing, isOpen: () => true, whenOpen: nothing, stop: () => undefined },
    receiver: worker,
    feed: { ...worker, read: nothing },
    queue: { ...worker, start: nothing },
    outgoing: { ...worker, start: () => undefined },
    reconcile: { sessions: nothing },
    directory: null,
    scheduled: [],
    doors: { stop: nothing },
    hub: { close: nothing },
    adapter: { close: nothing },
    state: { close: nothing },
    log: logBook(),
    ...change,
  };
}

/** Work of which the bridge is stopped in the middle. */
function held() {
  let letGo: () => void = () => undefined;
  const until = new Promise<void>((resolve) => (letGo = resolve));
  return { work: () => until, letGo };
}

/** What is begun of the rest, when the bridge is stopped while `slow` is under way. */
async function begunAfter(slow: "queue" | "work" | "feed"): Promise<string[]> {
  const begun: string[] = [];
  const { work, letGo } = held();
  const first = slow === "work" ? work : nothing;
  const life = createLife(
    aBridge({
      queue: { ...worker, start: slow === "queue" ? work : nothing },
      scheduled: [
        { start: first, stop: nothing },
        { start: () => void begun.push("work"), stop: nothing },
      ],
      feed: { ...worker, read: slow === "feed" ? work : () => Promise.resolve(begun.push("feed")) },
      reconcile: { sessions: () => Promise.resolve(begun.push("sessions")) },
    }),
  );
  await life.start();
  await new Promise(setImmediate); // what can begin has begun
  const stopping = life.stop();
  letGo();
  await stopping;
  return begun;
}

test("a bridge that is stopped in its first moments begins nothing after its end", async () => {
  expect(await begunAfter("queue")).toEqual([]);
  expect(await begunAfter("work")).toEqual([]);
  expect(await begunAfter("feed")).toEqual(["work"]);
});
