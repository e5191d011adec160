/** Contexts of key stores: each its own, and none of them a burden to the rest of the process. */
import asyncHooks, { AsyncLocalStorage, executionAsyncResource } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { pino } from "pino";
import { expect, test } from "vitest";
import { addTransactionCapability } from "../../hub/whatsapp/baileys.ts";
import { withOneContext } from "../../hub/whatsapp/one-context.ts";

const TRANSACTIONS = { maxCommitRetries: 1, delayBetweenTriesMs: 1 };

test("storages made together keep their values apart, over turns and inside each other", async () => {
  const [one, other] = withOneContext(
    () => [new asyncHooks.AsyncLocalStorage(), new AsyncLocalStorage()] as const,
  );
  const seen = await one.run("a", async () => {
    await turn();
    const inside = await other.run("b", async () => {
      await turn();
      return [one.getStore(), other.getStore()];
    });
    return [...inside, one.getStore(), other.getStore()];
  });
  expect(seen).toEqual(["a", "b", "a", undefined]);
  expect([one.getStore(), other.getStore()]).toEqual([undefined, undefined]);
});

test("what is made afterwards is Node's own", () => {
  expect(() =>
    withOneContext(() => {
      throw new Error("broken");
    }),
  ).toThrow("broken");
  expect(new AsyncLocalStorage()).toBeInstanceOf(asyncHooks.AsyncLocalStorage);
  expect(typeof new AsyncLocalStorage().enterWith).toBe("function");
});

test("however many key stores were used, nothing of them is left on what the process does next", async () => {
  const kept = new Map<string, unknown>();
  const store = {
    get: () => Promise.resolve({}),
    set: (data: object) => Promise.resolve(void kept.set("set", data)),
  };
  const left = async (): Promise<number> => {
    await turn();
    return Object.getOwnPropertySymbols(executionAsyncResource()).length;
  };
  const use = async (): Promise<void> => {
    const keys = addTransactionCapability(store, pino({ level: "silent" }), TRANSACTIONS);
    await keys.transaction(async () => keys.set({ "device-list": { a: ["1"] } }), "a");
  };
  await use();
  const before = await left();
  for (let n = 0; n < 20; n++) await use();
  expect(await left()).toBe(before);
  expect(kept.get("set")).toEqual({ "device-list": { a: ["1"] } });
});
