/** Records that could not be written, kept until a retry succeeds: a sync goes on without them, a person sees them. */
import type { Clock } from "./clock.ts";
import type { BridgeState, FailedItem } from "./state/bridge-state.ts";

/** Which record: `key` is its own within its kind and session (see `messageItemKey`); of an event it is the `seq`. */
export type FailedRecord = Pick<FailedItem, "sessionId" | "kind" | "key">;

export interface FailedItems {
  /** One more failure of this record; the same record is listed once. */
  add(item: FailedRecord & { error: string }): Promise<FailedItem>;
  /** Forgets it; nothing happens when it is not there. */
  resolve(id: string): Promise<void>;
  /** Oldest failure first. */
  list(sessionId?: string): FailedItem[];
}

/** Beyond this the oldest are given up: the file they are kept in is small by design. */
const MOST = 2_000;
const LONGEST_ERROR = 500;

export const failedItemId = ({ sessionId, kind, key }: FailedRecord): string => `${kind}:${sessionId}:${key}`;
export const messageItemKey = ({ chatId, messageId }: { chatId: string; messageId: string }): string =>
  `${chatId}|${messageId}`;
/** A merge that failed is of kind `contact`, beside what else may be wrong with that one. An id has no bar in it. */
export const mergeItemKey = ({ from, into }: { from: string; into: string }): string => `${from}|${into}`;
/** Null for the key of a contact itself. */
export function mergeOfItemKey(key: string): { from: string; into: string } | null {
  const [from = "", into] = key.split("|");
  return into === undefined ? null : { from, into };
}
/** A chat's id has no bar in it; a message's may. */
export function messageOfItemKey(key: string): { chatId: string; messageId: string } {
  const mark = key.indexOf("|");
  return { chatId: key.slice(0, mark), messageId: key.slice(mark + 1) };
}

export function createFailedItems({ state, clock }: { state: BridgeState; clock: Clock }): FailedItems {
  const isKept = (id: string): boolean => state.read().failedItems.some((item) => item.id === id);

  return {
    add: async ({ sessionId, kind, key, error }) => {
      const item: FailedItem = {
        id: failedItemId({ sessionId, kind, key }),
        sessionId,
        kind,
        key,
        error: error.slice(0, LONGEST_ERROR),
        attempts: 1,
        at: clock.now().toISOString(),
      };
      await state.update((data) => {
        item.attempts += data.failedItems.find(({ id }) => id === item.id)?.attempts ?? 0;
        data.failedItems = [...data.failedItems.filter(({ id }) => id !== item.id), item].slice(-MOST);
      });
      return item;
    },
    resolve: async (id) => {
      if (!isKept(id)) return;
      await state.update((data) => {
        data.failedItems = data.failedItems.filter((item) => item.id !== id);
      });
    },
    list: (sessionId) =>
      state.read().failedItems.filter((item) => sessionId === undefined || item.sessionId === sessionId),
  };
}
