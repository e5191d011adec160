/** The bridge's memory without a disk: for tests, and for a first try. */
import { emptyBridgeData, type BridgeState } from "./bridge-state.ts";

export function createMemoryState(): BridgeState {
  let data = emptyBridgeData();
  const note: BridgeState["note"] = (change) => {
    const draft = structuredClone(data);
    change(draft);
    data = draft;
  };
  return {
    read: () => data,
    update: (change) =>
      new Promise((resolve) => {
        note(change);
        resolve();
      }),
    note,
    close: () => Promise.resolve(),
  };
}
