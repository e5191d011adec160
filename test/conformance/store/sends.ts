/** A send is on disk before it leaves, and leaves once. */
import { expect, test } from "vitest";
import { aMedia, aMessage, aMessageFact, T0 } from "../../support/builders.ts";
import { hours, minutes } from "../../support/fixed-clock.ts";
import { names, type World, type Worlds } from "./world.ts";

const CHAT = "34600111222@s.whatsapp.net";
const KEY = { owner: "key_1", route: "POST /send", key: "k" };

const accept = ({ store, clock }: World, id: string): Promise<void> =>
  store.sends.accept({
    message: aMessage({ id, fromMe: true, status: "pending", client: "crm", pushName: null }),
    order: `{"text":"${id}"}`,
    expiresAt: new Date(clock.now().getTime() + hours(1)),
    now: clock.now(),
  });

export function sends(world: Worlds): void {
  test("an accepted send is a pending message, an event and a waiting order, in one", async () => {
    const made = await world();
    const { store, events } = made;
    await accept(made, "A");
    expect(await store.inbox.message("s1", "A")).toMatchObject({
      status: "pending",
      client: "crm",
      fromMe: true,
    });
    expect(names(await events())).toEqual(["message.received"]);
    expect(await store.sends.waiting("s1")).toEqual([
      {
        messageId: "A",
        chatId: CHAT,
        order: '{"text":"A"}',
        acceptedAt: T0,
        expiresAt: new Date(T0.getTime() + hours(1)),
        hasLeft: false,
      },
    ]);
    expect(await store.inbox.chat("s1", CHAT)).toMatchObject({ unreadCount: 0, messageCount: 1 });
  });

  test("accepting a known id changes nothing", async () => {
    const made = await world();
    await accept(made, "A");
    await made.store.sends.relayed("s1", "A", { raw: null, media: null }, made.clock.now());
    await accept(made, "A");
    expect(await made.store.sends.waiting("s1")).toEqual([]);
    expect(names(await made.events())).toEqual(["message.received"]);
  });

  test("what was relayed waits for its acknowledgement, oldest first", async () => {
    const made = await world();
    const { store, clock, record } = made;
    for (const id of ["A", "B", "C"]) await accept(made, id);
    await store.sends.relayed("s1", "B", { raw: "cHJvdG8=", media: null }, clock.now());
    expect((await store.sends.waiting("s1")).map(({ messageId }) => messageId)).toEqual(["A", "C"]);
    expect(await store.inbox.message("s1", "B")).toMatchObject({ raw: "cHJvdG8=", status: "pending" });
    expect(await store.sends.unconfirmed("s1", clock.now())).toEqual([]);
    clock.advance(minutes(1));
    expect(await store.sends.unconfirmed("s1", clock.now())).toEqual([{ messageId: "B", chatId: CHAT }]);
    await record({ kind: "status", chatId: CHAT, ids: ["B", "A"], status: "sent", at: 1, participant: null });
    expect(await store.sends.unconfirmed("s1", clock.now())).toEqual([]);
    expect((await store.sends.waiting("s1")).map(({ messageId }) => messageId)).toEqual(["C"]);
    await record({ kind: "status", chatId: CHAT, ids: ["C"], status: "failed", at: 1, participant: null });
    expect(await store.sends.waiting("s1")).toEqual([]);
  });

  test("what left and was not confirmed waits again for a new connection, a few times and in its time to live", async () => {
    const made = await world();
    const { store, clock, record } = made;
    for (const id of ["A", "B", "C"]) await accept(made, id);
    const waiting = async () =>
      (await store.sends.waiting("s1")).map(({ messageId, hasLeft }) => `${messageId} ${hasLeft}`);
    const leave = (id: string) => store.sends.relayed("s1", id, { raw: null, media: null }, clock.now());
    await leave("A");
    await leave("B");
    await record({ kind: "status", chatId: CHAT, ids: ["B"], status: "sent", at: 1, participant: null });
    clock.advance(1);
    expect(await store.sends.waitsAgain("s1", clock.now())).toBe(1);
    expect(await waiting()).toEqual(["A true", "C false"]);
    expect(await store.sends.isWaiting("s1", "A")).toBe(true);
    expect(await store.sends.isWaiting("s1", "B")).toBe(false);
    for (const again of [1, 0]) {
      await leave("A");
      clock.advance(1);
      expect(await store.sends.waitsAgain("s1", clock.now())).toBe(again);
    }
    expect(await waiting()).toEqual(["C false"]);
    await leave("C");
    clock.advance(hours(1));
    expect(await store.sends.waitsAgain("s1", clock.now())).toBe(0);
    expect((await store.sends.unconfirmed("s1", clock.now())).map(({ messageId }) => messageId)).toEqual([
      "A",
      "C",
    ]);
  });

  test("what the library made of the file is kept with the message", async () => {
    const { store, clock } = await world();
    const media = aMedia();
    await store.media.add({
      mediaId: media.mediaId,
      sessionId: "s1",
      state: "stored",
      filename: "i.jpg",
      filesize: 3,
      mimetype: "image/jpeg",
      sha256: "abc",
      createdAt: T0,
    });
    const message = aMessage({ id: "A", fromMe: true, type: "image", media, client: "crm" });
    await store.sends.accept({ message, order: "{}", expiresAt: T0, now: T0 });
    await store.sends.relayed(
      "s1",
      "A",
      { raw: null, media: { mediaKey: "key", directPath: "/v/1" } },
      clock.now(),
    );
    expect((await store.inbox.message("s1", "A"))?.media).toEqual({
      ...media,
      mediaKey: "key",
      directPath: "/v/1",
    });
    expect(await store.media.get(media.mediaId)).toMatchObject({
      state: "stored",
      sha256: "abc",
      filesize: 3,
    });
    expect(await store.media.messageOf(media.mediaId)).toMatchObject({ id: "A" });
  });

  test("the webhook of an acknowledgement waits until the sender has its answer", async () => {
    const made = await world();
    const { clock, record, endpoint, due } = made;
    const crm = await endpoint({ client: "crm" });
    await accept(made, "A");
    await record({ kind: "status", chatId: CHAT, ids: ["A"], status: "sent", at: 1, participant: null });
    expect(await due(crm)).toEqual([]);
    const next = await made.store.outbox.nextDueAt(crm.id);
    const wait = (next?.getTime() ?? 0) - clock.now().getTime();
    expect(wait).toBeGreaterThanOrEqual(1000);
    expect(wait).toBeLessThanOrEqual(2000);
    await record({ kind: "status", chatId: CHAT, ids: ["A"], status: "delivered", at: 2, participant: null });
    expect(await due(crm)).toEqual([]);
    clock.advance(wait);
    expect((await due(crm)).map(({ event }) => event)).toEqual(["message.sent"]);
  });

  test("a claimed key runs, and then answers with the first answer; another body is a conflict", async () => {
    const { store, clock } = await world();
    const claim = (hash: string, id = "id2"): Promise<unknown> =>
      store.sends.claim(KEY, hash, id, clock.now());
    expect(await claim("h1", "id1")).toEqual({ result: "new", reservedId: "id1" });
    expect(await claim("h1")).toEqual({ result: "running", reservedId: "id1" });
    expect(await claim("h2")).toEqual({ result: "conflict" });
    await store.sends.finish(KEY, { status: 201, body: '{"ok":true}' }, clock.now());
    expect(await claim("h1")).toEqual({ result: "same", status: 201, body: '{"ok":true}' });
    expect(await claim("h2")).toEqual({ result: "conflict" });
    expect(await store.sends.claim({ ...KEY, owner: "key_2" }, "h2", "id3", clock.now())).toMatchObject({
      result: "new",
    });
  });

  test("a claim given back may be made again, an answered one may not", async () => {
    const { store, clock } = await world();
    await store.sends.claim(KEY, "h1", "id1", clock.now());
    await store.sends.abandon(KEY);
    expect(await store.sends.claim(KEY, "h2", "id2", clock.now())).toEqual({
      result: "new",
      reservedId: "id2",
    });
    await store.sends.finish(KEY, { status: 200, body: "{}" }, clock.now());
    await store.sends.abandon(KEY);
    expect(await store.sends.claim(KEY, "h2", "id3", clock.now())).toMatchObject({ result: "same" });
  });

  test("a claim released after a failure goes on under its id where that message was accepted, else it is a new one", async () => {
    const { store, clock } = await world();
    const claim = (hash: string, id: string): Promise<unknown> =>
      store.sends.claim(KEY, hash, id, clock.now());
    await claim("h1", "id1");
    await store.sends.release(KEY);
    expect(await claim("h2", "id2")).toEqual({ result: "new", reservedId: "id2" });
    await store.sends.accept({
      message: aMessage({ id: "id2", fromMe: true }),
      ...{ order: "{}", expiresAt: clock.now(), now: clock.now() },
    });
    await store.sends.release(KEY);
    expect(await claim("h3", "id3")).toEqual({ result: "conflict" });
    expect(await claim("h2", "id3")).toEqual({ result: "new", reservedId: "id2" });
    expect(await claim("h2", "id4")).toEqual({ result: "running", reservedId: "id2" });
    await store.sends.finish(KEY, { status: 200, body: "{}" }, clock.now());
    await store.sends.release(KEY);
    expect(await claim("h2", "id5")).toEqual({ result: "same", status: 200, body: "{}" });
  });

  test("an answer is kept for a day", async () => {
    const { store, clock } = await world();
    await store.sends.claim(KEY, "h1", "id1", clock.now());
    await store.sends.finish(KEY, { status: 200, body: "{}" }, clock.now());
    clock.advance(hours(23));
    expect(await store.sends.claim(KEY, "h1", "id2", clock.now())).toMatchObject({ result: "same" });
    clock.advance(hours(1));
    expect(await store.sends.claim(KEY, "h1", "id2", clock.now())).toEqual({
      result: "new",
      reservedId: "id2",
    });
  });

  test("what waits is counted, and may be given more time; what left is not", async () => {
    const made = await world();
    const { store, clock } = made;
    for (const id of ["A", "B", "C"]) await accept(made, id);
    await store.sends.relayed("s1", "B", { raw: null, media: null }, clock.now());
    expect(await store.sends.countWaiting("s1")).toBe(2);
    const later = new Date(T0.getTime() + hours(30));
    for (const id of ["A", "B", "NOBODY"]) await store.sends.postpone("s1", id, later);
    expect(
      (await store.sends.waiting("s1")).map(({ messageId, expiresAt }) => [messageId, expiresAt]),
    ).toEqual([
      ["A", later],
      ["C", new Date(T0.getTime() + hours(1))],
    ]);
  });

  test("what waits for people who never wrote is counted apart, groups are nobody", async () => {
    const made = await world();
    const { store, clock, record } = made;
    const counts = () => store.sends.countWaitingBy("s1");
    expect(await counts()).toEqual({ strangers: 0, others: 0 });
    for (const id of ["A", "B", "C"]) await accept(made, id);
    const group = aMessage({ id: "G", chatId: "123@g.us", fromMe: true, status: "pending", pushName: null });
    await store.sends.accept({ message: group, order: "{}", expiresAt: clock.now(), now: clock.now() });
    await store.sends.relayed("s1", "B", { raw: null, media: null }, clock.now());
    expect(await counts()).toEqual({ strangers: 2, others: 1 });
    await record(aMessageFact({ chatId: CHAT }));
    expect(await counts()).toEqual({ strangers: 0, others: 3 });
  });

  test("a person is a stranger until they write; that we wrote counts when it left", async () => {
    const made = await world();
    const { store, clock, record } = made;
    const known = () => store.sends.acquaintance("s1", CHAT);
    const since = new Date(T0.getTime() - hours(24));
    expect(await known()).toBe("none");
    await accept(made, "A");
    expect(await known()).toBe("none");
    expect(await store.sends.opened("s1", since)).toEqual([]);
    expect(await store.sends.lately("s1", since)).toEqual([]);
    await store.sends.relayed("s1", "A", { raw: null, media: null }, clock.now());
    expect(await known()).toBe("written");
    expect(await store.sends.opened("s1", since)).toEqual([{ chatId: CHAT, at: T0 }]);
    expect(await store.sends.lately("s1", since)).toEqual([T0]);
    expect(await store.sends.opened("s1", new Date(T0.getTime() + 1000))).toEqual([]);
    await record(aMessageFact({ chatId: CHAT, timestamp: T0.getTime() / 1000 + 5 }));
    expect(await known()).toBe("heard");
    expect(await store.sends.opened("s1", since), "we were first all the same").toHaveLength(1);
  });

  test("a chat that the other side began, and one whose message was refused, were not opened by us", async () => {
    const made = await world();
    const { store, clock, record } = made;
    const since = new Date(T0.getTime() - hours(24));
    await record(aMessageFact({ chatId: CHAT, timestamp: T0.getTime() / 1000 }));
    await accept(made, "A");
    await store.sends.relayed("s1", "A", { raw: null, media: null }, clock.now());
    expect(await store.sends.opened("s1", since)).toEqual([]);
    const chatId = "34600111999@s.whatsapp.net";
    const refused = aMessage({ id: "F", chatId, fromMe: true, status: "failed", pushName: null });
    await record({ kind: "message", message: refused, live: true });
    expect(await store.sends.opened("s1", since)).toEqual([]);
    expect(await store.sends.acquaintance("s1", chatId)).toBe("none");
  });
}
