/** A database that turns out to be a copy of an earlier moment: what it still meant to do was done, or given up, since. */
import { expect, test } from "vitest";
import { doneBy } from "../../../hub/core/audit.ts";
import type { Worlds } from "./world.ts";

export function copies(worlds: Worlds): void {
  test("sends no letter, replays nothing and ends no order of the time before", async () => {
    const { store, clock, afterKill } = await worlds();
    await store.letters.hold({ subject: "down", text: "for an hour" }, clock.now());
    await store.outbox.openReplay({ id: "r1", filter: {}, matched: 0, startedAt: clock.now() });
    await store.audit.begin(doneBy("hub", "hub.started", clock.now()));
    await store.declareRestored(await store.watermark(), { areLoginsKnown: true });
    const next = afterKill === null ? store : await afterKill();
    expect(await next.letters.held()).toEqual([]);
    expect(await next.outbox.openReplays()).toEqual([]);
    expect((await next.audit.list({ limit: 10, page: 1 })).items).toEqual([]);
  });
}
