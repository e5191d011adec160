/** What every memory of the bridge keeps. An implementation is done when its file passes this. */
import { describe, expect, test } from "vitest";
import { emptyBridgeData, type BridgeState } from "../../bridge/state/bridge-state.ts";

export interface StateWorld {
  state: BridgeState;
  /** Another process's view after this one is gone; null where nothing outlives the process. */
  reopen: (() => Promise<BridgeState>) | null;
}

export function describeBridgeState(name: string, open: () => Promise<StateWorld>): void {
  describe(`bridge state: ${name}`, () => {
    test("begins empty", async () => {
      const { state } = await open();
      expect(state.read()).toEqual(emptyBridgeData());
    });

    test("shows a change at once", async () => {
      const { state } = await open();
      const kept = state.update((data) => {
        data.mark = 7;
      });
      expect(state.read().mark).toBe(7);
      await kept;
      expect(state.read().mark).toBe(7);
    });

    test("a change that throws changes nothing, and is told", async () => {
      const { state, reopen } = await open();
      await state.update((data) => {
        data.syncedUntil["s1"] = 1;
      });
      await expect(
        state.update((data) => {
          data.mark = 9;
          data.syncedUntil["s1"] = 2;
          throw new Error("no");
        }),
      ).rejects.toThrow("no");
      expect(state.read()).toMatchObject({ mark: 0, syncedUntil: { s1: 1 } });
      await state.close();
      expect((await reopen?.())?.read().mark ?? 0).toBe(0);
    });

    test("what was read before a change stays as it was", async () => {
      const { state } = await open();
      const before = state.read();
      await state.update((data) => {
        data.failedItems.push({
          id: "i",
          sessionId: "s1",
          kind: "chat",
          key: "k",
          error: "e",
          attempts: 1,
          at: "2026-01-31T10:00:00.000Z",
        });
      });
      expect(before.failedItems).toEqual([]);
      expect(state.read().failedItems).toHaveLength(1);
    });

    test("changes that meet are all kept, in their order", async () => {
      const { state, reopen } = await open();
      await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          state.update((data) => {
            data.mark += 1;
            data.syncedUntil[`s${n}`] = data.mark;
          }),
        ),
      );
      await state.close();
      const data = ((await reopen?.()) ?? state).read();
      expect(data.mark).toBe(200);
      expect(data.syncedUntil["s199"]).toBe(200);
    });
  });
}
