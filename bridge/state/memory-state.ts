/** The bridge's memory without a disk: for tests, and for a first try. */
import { emptyBridgeData, type BridgeState } from "./bridge-state.ts";

export function createMemoryState(): BridgeState {
  let data = emptyBridgeData();
  return {
    read: () => data,
    update: (change) =>
      new Promise((resolve) => {
        const draft = structuredClone(data);
        change(draft);
        data = draft;
        resolve();
      }),
    close: () => Promise.resolve(),
  };
}
