/**
 * Keeps a hub as quick as on its first day. Baileys makes an `AsyncLocalStorage` for each socket, and Node before 24 copies
 * what each one that was ever used holds to every promise and timer of the process: with 100 of them an `await` costs a
 * hundred times as much, and every reconnection adds one for good. All of Baileys' share a single one instead.
 */
import asyncHooks, { AsyncLocalStorage } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";

const shared = new AsyncLocalStorage<ReadonlyMap<object, unknown>>();

/** What Baileys' key stores use of an `AsyncLocalStorage`: a value of one does not hide those of others. */
class SharedStorage {
  run<R>(value: unknown, work: () => R): R {
    return shared.run(new Map(shared.getStore()).set(this, value), work);
  }

  getStore(): unknown {
    return shared.getStore()?.get(this);
  }
}

/** Whatever makes itself an `AsyncLocalStorage` in this call, before it returns, gets one that shares. */
export function withOneContext<T>(make: () => T): T {
  const its = asyncHooks.AsyncLocalStorage;
  use(SharedStorage as unknown as typeof AsyncLocalStorage); // as much of it as Baileys uses
  try {
    return make();
  } finally {
    use(its);
  }
}

function use(storage: typeof AsyncLocalStorage): void {
  asyncHooks.AsyncLocalStorage = storage;
  syncBuiltinESMExports();
}
