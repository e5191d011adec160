/** A database that turns out to be a copy of an earlier moment: what it still meant to do was done, or given up, since. */
import { expect, test } from "vitest";
import { doneBy } from "../../../hub/core/audit.ts";
import { aMessage } from "../../support/builders.ts";
import { hours } from "../../support/fixed-clock.ts";
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

  test("sends nothing a second time and gives up nothing at once: what was on its way waits for WhatsApp's word", async () => {
    const { store, clock, record } = await worlds();
    const now = clock.now();
    for (const id of ["WAITED", "LEFT"])
      await store.sends.accept({
        ...{ message: aMessage({ id, fromMe: true }), order: "{}", expiresAt: now, now },
      });
    await store.sends.relayed("s1", "LEFT", { raw: null, media: null }, now);
    clock.advance(hours(48));
    await store.declareRestored(await store.watermark(), { areLoginsKnown: true });
    expect(await store.sends.waiting("s1")).toEqual([]);
    const silentFor = (ms: number) => store.sends.unconfirmed("s1", new Date(clock.now().getTime() - ms));
    expect(await silentFor(0)).toEqual([]);
    await record({
      ...{ kind: "status", chatId: aMessage().chatId, ids: ["WAITED"], status: "delivered" },
      ...{ at: 1, participant: null },
    });
    clock.advance(hours(24) + 1);
    expect(await silentFor(hours(24))).toMatchObject([{ messageId: "LEFT" }]);
    expect(await store.inbox.message("s1", "WAITED")).toMatchObject({ status: "delivered" });
  });
}
