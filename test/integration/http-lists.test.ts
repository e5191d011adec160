/** Lists that a reader goes on from: their place in the log of events, and one message by its id. */
import { expect, test } from "vitest";
import { aMessageFact, aNewEvent, T0_SECONDS } from "../support/builders.ts";
import { listIn, openHttpRig } from "../support/http-rig.ts";

const ANA = "34600111222@s.whatsapp.net";

test("a list says how far the log of events was when it was read: what comes after is in the feed", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  await rig.tell("s1", aMessageFact({ chatId: ANA, id: "3A1" }));
  const before = (await rig.get("/api/events?after=latest")).data["latestSeq"];
  for (const path of ["/api/sessions", "/api/contacts/s1", "/api/messages/s1/chats", "/api/messages/s1"])
    expect([path, (await rig.get(path)).data["latestSeq"]]).toEqual([path, before]);
  await rig.tell("s1", aMessageFact({ chatId: ANA, id: "3A2" }));
  const feed = await rig.get(`/api/events?after=${String(before)}`);
  expect(listIn(feed.data, "events").map(({ event }) => event)).toEqual(["message.received"]);
});

test("a change between the position and the rows is never behind the position", async () => {
  const rig = await openHttpRig({
    change: (ctx, store) => ({
      ...ctx,
      store: {
        ...store,
        inbox: {
          ...store.inbox,
          // Somebody writes in the moment in which the rows are read.
          messages: async (query) => {
            await store.events.append("s1", [aNewEvent()], ctx.clock.now());
            return store.inbox.messages(query);
          },
        },
      },
    }),
  });
  await rig.session("s1");
  const { latestSeq } = await rig.store.events.range();
  expect((await rig.get("/api/messages/s1")).data["latestSeq"]).toBe(latestSeq);
});

test("one message is found by its WhatsApp id, in the whole session and in its chat", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  const other = "34600111333@s.whatsapp.net";
  await rig.tell(
    "s1",
    aMessageFact({ chatId: ANA, id: "3A1" }),
    aMessageFact({ chatId: ANA, id: "3A2" }),
    aMessageFact({ chatId: other, id: "3A1", timestamp: T0_SECONDS + 5 }),
  );
  const found = async (path: string) => {
    const { data } = await rig.get(path);
    return [listIn(data, "messages").map(({ messageId, chatId }) => [messageId, chatId]), data["total"]];
  };
  expect(await found("/api/messages/s1?messageId=3A2")).toEqual([[["3A2", "34600111222@c.us"]], 1]);
  expect(await found("/api/messages/s1?messageId=wamid.3A1&order=asc")).toEqual([
    [
      ["3A1", "34600111222@c.us"],
      ["3A1", "34600111333@c.us"],
    ],
    2,
  ]);
  expect(await found("/api/messages/s1/34600111333?messageId=3A1")).toEqual([
    [["3A1", "34600111333@c.us"]],
    1,
  ]);
  expect(await found("/api/messages/s1?chatId=34600111333&messageId=3A2")).toEqual([[], 0]);
  expect((await rig.get("/api/messages/s1?messageId=%20")).status).toBe(400);
});

test("what changed comes from the first change to the last, so that what changes between two pages is not missed", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  const ids = ["3A1", "3A2", "3A3", "3A4"];
  for (const id of ids) {
    rig.clock.advance(1000);
    await rig.tell("s1", aMessageFact({ chatId: ANA, id, timestamp: T0_SECONDS - Number(id.slice(2)) }));
  }
  const listed = async (path: string) => {
    const { data } = await rig.get(path);
    const { nextCursor } = data["pagination"] as { nextCursor: string | null };
    return { ids: listIn(data, "messages").map(({ messageId }) => messageId), nextCursor };
  };
  const first = await listed("/api/messages/s1?orderBy=updated&limit=2");
  rig.clock.advance(1000);
  const target = { chatId: ANA, id: "3A3" };
  await rig.tell("s1", { kind: "edit", target, content: "other", at: T0_SECONDS, raw: null });
  const rest = await listed(`/api/messages/s1?orderBy=updated&limit=9&cursor=${String(first.nextCursor)}`);
  expect([first.ids, rest.ids]).toEqual([
    ["3A1", "3A2"],
    ["3A4", "3A3"],
  ]);
  expect((await listed("/api/messages/s1?orderBy=updated&order=desc")).ids).toEqual([
    "3A3",
    "3A4",
    "3A2",
    "3A1",
  ]);
  expect((await listed("/api/messages/s1")).ids).toEqual(ids);
});
