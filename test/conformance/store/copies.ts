/** A database that turns out to be a copy of an earlier moment: what it still meant to do was done, or given up, since. */
import { expect, test } from "vitest";
import { doneBy } from "../../../hub/core/audit.ts";
import { aMessage, aMessageFact, aNewSession } from "../../support/builders.ts";
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

  test("gives no session, conversation or delivery a number that was given since the copy was made", async () => {
    const { store, clock, endpoint, record } = await worlds();
    const crm = await endpoint();
    await record(aMessageFact());
    const shown = async (sessionId: string, chatId: string) => {
      const session = await store.sessions.create(aNewSession({ sessionId }));
      await record(aMessageFact({ sessionId, chatId }), { sessionId });
      const { items } = await store.outbox.list({ endpoints: [crm.id], sessionId, limit: 1, page: 1 });
      const chat = await store.inbox.chat(sessionId, chatId);
      return [session?.id, chat?.conversationId, items[0]?.n].map(Number);
    };
    const before = await shown("s2", "34600111001@s.whatsapp.net");
    await store.declareRestored(await store.watermark(), { areLoginsKnown: true });
    clock.advance(hours(1));
    const after = await shown("s3", "34600111002@s.whatsapp.net");
    const gaps = after.map((number, nth) => number - (before[nth] ?? NaN));
    expect(gaps.map((gap) => gap > 1000)).toEqual([true, true, true]);
  });

  test("gives no number again of a copy that held none of its kind", async () => {
    const { store, clock } = await worlds({ withSession: false });
    await store.declareRestored(await store.watermark(), { areLoginsKnown: true });
    clock.advance(hours(1));
    expect((await store.sessions.create(aNewSession()))?.id).toBeGreaterThan(1000);
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
