/** Contacts, chats, messages and sends as the existing clients rely on them, member by member. */
import { describe, expect, test } from "vitest";
import { chatSchema, contactSchema, messageSchema, sentSchema } from "../../hub/contract/resources.ts";
import { aMedia, aMessageFact, T0_SECONDS } from "../support/builders.ts";
import { isExactly, listIn, openHttpRig, recordOf } from "../support/http-rig.ts";

const ANA = "34600111222@s.whatsapp.net";

describe("contacts", () => {
  test("a contact has phone and phoneNumber equal, and info carries the picture on the first level", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await rig.tell("s1", { kind: "contact", jid: ANA, change: { pushName: "Ana" }, live: true });
    const list = await rig.get("/api/contacts/s1?limit=1000");
    const [ana] = listIn(list.data, "contacts");
    isExactly(contactSchema, ana);
    expect(ana).toMatchObject({
      id: "34600111222@c.us",
      phone: "+34600111222",
      phoneNumber: "+34600111222",
      isGroup: false,
    });

    for (const written of [
      "+34600111222",
      "%2B34600111222",
      "34600111222",
      "34600111222@c.us",
      "34600111222@s.whatsapp.net",
    ]) {
      const info = await rig.get(`/api/contacts/s1/info/${written}`);
      expect([written, info.status]).toEqual([written, 200]);
      const { contact, ...outer } = info.data;
      isExactly(contactSchema, outer);
      expect(contact).toEqual(outer);
      expect(outer).toHaveProperty("profilePicUrl", null);
    }
    const unknown = await rig.get("/api/contacts/s1/info/+34600999000");
    expect([unknown.status, unknown.json["code"]]).toEqual([404, "CONTACT_NOT_FOUND"]);
    expect((await rig.get("/api/contacts/s1/info/not-a-number")).status).toBe(400);
  });

  test("searching a number asks WhatsApp once a day", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    rig.link.unknownNumbers.add("34600000001");
    expect((await rig.get("/api/contacts/s1/search/34600000001")).data).toEqual({
      exists: false,
      contact: null,
    });
    expect((await rig.get("/api/contacts/s1/search/34600000001")).data).toEqual({
      exists: false,
      contact: null,
    });
    expect(rig.link.asked.lookUp).toBe(1);
  });

  test("everybody is looked up later, however often it is said, for a key that may read", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const known = [1, 2, 3].map((n) => `3460000000${n}@s.whatsapp.net`);
    const change = { name: "Ana" };
    await rig.tell("s1", ...known.map((jid) => ({ kind: "contact", jid, change, live: false }) as const));
    const key = await rig.makeKey({ scopes: ["read"] });
    for (const [body, waiting] of [
      [undefined, 3],
      [{ limit: 2 }, 2],
      [{ limit: null }, 3],
    ] as const) {
      const answer = await rig.post("/api/contacts/s1/look-up", body, { key });
      expect([answer.status, answer.data]).toEqual([200, { waiting }]);
    }
    expect(await rig.store.lookUps.wanted()).toEqual([{ sessionId: "s1", most: null }]);
    for (const limit of [0, 1.5, "all"])
      expect((await rig.post("/api/contacts/s1/look-up", { limit })).status).toBe(400);
  });
});

describe("chats and messages", () => {
  test("have exactly the members of the contract; ids in lists are objects, numbers are numbers", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const media = aMedia({ filename: `${"long".repeat(60)}.jpg`, mimetype: "image/jpeg; codecs=x" });
    await rig.tell(
      "s1",
      aMessageFact({ chatId: ANA, id: "3A1", pushName: "A".repeat(200), timestamp: T0_SECONDS - 10 }),
      aMessageFact({ chatId: ANA, id: "3A2", type: "image", media, timestamp: T0_SECONDS - 5 }),
      aMessageFact({
        chatId: "120363000000000001@g.us",
        participant: ANA,
        id: "3A3",
        pushName: `x${"😀".repeat(100)}`,
      }),
    );
    const chats = await rig.get("/api/messages/s1/chats");
    for (const chat of listIn(chats.data, "chats")) isExactly(chatSchema, chat);
    const group = listIn(chats.data, "chats").find(({ isGroup }) => isGroup);
    expect(group).toMatchObject({ id: "120363000000000001@g.us", unreadCount: 1 });

    const messages = listIn((await rig.get("/api/messages/s1")).data, "messages");
    for (const message of messages) isExactly(messageSchema, message);
    expect(messages.map(({ messageId }) => messageId)).toEqual(["3A3", "3A2", "3A1"]);
    expect(messages[0]).toMatchObject({
      from: "34600111222@c.us",
      to: "34600999888",
      isGroup: true,
      chatId: "120363000000000001@g.us",
    });
    expect(messages[1]).toMatchObject({
      id: { _serialized: "3A2" },
      chatId: "34600111222@c.us",
      hasMedia: true,
    });
    expect(recordOf(messages[1]?.["media"])).toMatchObject({ mimetype: "image/jpeg" });
    expect(String(recordOf(messages[1]?.["media"])["filename"])).toMatch(/^(long)+.*\.jpg$/);
    expect(String(messages[2]?.["pushName"])).toHaveLength(140);
    // Half of an emoji at the end would be refused by a receiver's database; this throws on one.
    expect(encodeURIComponent(String(messages[0]?.["pushName"])).length).toBeGreaterThan(0);
    expect(Number.isInteger(messages[0]?.["conversationId"])).toBe(true);
    expect(messages[0]?.["conversationId"]).toBe(group?.["conversationId"]);
  });

  test("one chat is listed by any spelling of its address, oldest first on request, unknown ones are empty", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    for (let n = 0; n < 3; n++)
      await rig.tell("s1", aMessageFact({ chatId: ANA, id: `3A${n}`, timestamp: T0_SECONDS + n }));
    for (const written of [
      "34600111222@c.us",
      "34600111222%40s.whatsapp.net",
      "+34600111222",
      "34600111222",
    ]) {
      const page = await rig.get(`/api/messages/s1/${written}?order=asc`);
      expect(listIn(page.data, "messages").map(({ messageId }) => messageId)).toEqual(["3A0", "3A1", "3A2"]);
    }
    expect((await rig.get("/api/messages/s1?chatId=34600111222@c.us")).data["total"]).toBe(3);
    const empty = await rig.get("/api/messages/s1/34611111111@c.us");
    expect([empty.status, empty.data["messages"], empty.data["total"]]).toEqual([200, [], 0]);
    expect((await rig.get("/api/messages/s1/send")).status).toBe(400);
  });

  test("a chat is marked read once and again; the answer is the same kind of yes", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await rig.tell("s1", aMessageFact({ chatId: ANA, id: "3A1" }), aMessageFact({ chatId: ANA, id: "3A2" }));
    expect((await rig.get("/api/messages/s1/unread")).data["total"]).toBe(1);
    const read = await rig.call("PUT", "/api/messages/s1/34600111222@c.us/read");
    expect([read.status, read.data]).toEqual([
      200,
      { chatId: "34600111222@c.us", marked: 2, unreadCount: 0 },
    ]);
    const again = await rig.put("/api/messages/s1/34600111222@c.us/read", {});
    expect([again.status, again.data["marked"]]).toEqual([200, 0]);
    expect(rig.link.readKeys).toHaveLength(2);
    expect((await rig.get("/api/sessions/s1/status")).data["unreadCount"]).toBe(0);
  });

  test("statistics count what was said", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await rig.tell("s1", aMessageFact({ chatId: ANA }));
    const { data } = await rig.get("/api/messages/s1/stats");
    expect(data).toMatchObject({
      total: 1,
      received: 1,
      sent: 0,
      unread: 1,
      chats: 1,
      today: { sent: 0, received: 1 },
    });
  });
});

describe("sending", () => {
  test("answers 200 with an object whose id is WhatsApp's id as a string", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const sent = await rig.post("/api/messages/s1/send", {
      to: "34600111222@c.us",
      type: "text",
      message: "hola 😀\n2",
    });
    expect([sent.status, sent.json["message"]]).toEqual([200, "Message accepted"]);
    expect(sentSchema.safeParse(sent.data).error?.issues ?? []).toEqual([]);
    const message = recordOf(sent.data["message"]);
    expect(sent.data["messageId"]).toMatch(/^3EB0/);
    expect([message["id"], message["messageId"], message["whatsappMessageId"]]).toEqual(
      Array.from({ length: 3 }, () => sent.data["messageId"]),
    );
    expect(message).toMatchObject({
      from: "34600999888",
      to: "34600111222@c.us",
      fromMe: true,
      body: "hola 😀\n2",
      type: "text",
      status: "sent",
    });
    expect(rig.link.sent[0]).toMatchObject({ chatId: ANA, content: { kind: "text", text: "hola 😀\n2" } });
    expect(rig.logged()).not.toContain("hola");
    expect(rig.logged()).not.toContain("34600111222");
  });

  test("no word from WhatsApp in time is pending, still 200", async () => {
    const rig = await openHttpRig({ ackWaitMs: 50 });
    await rig.session("s1");
    rig.link.word = "none";
    const sent = await rig.post("/api/messages/s1/send", {
      to: "34600111222",
      type: "text",
      message: "hola",
    });
    expect([sent.status, sent.data["status"]]).toEqual([200, "pending"]);
  });

  test("not connected is SESSION_NOT_CONNECTED before anything leaves; queued is pending", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    rig.link.goesAway();
    const refused = await rig.post("/api/messages/s1/send", {
      to: "34600111222",
      type: "text",
      message: "hola",
    });
    expect([refused.status, refused.json["code"]]).toEqual([409, "SESSION_NOT_CONNECTED"]);
    const queued = await rig.post("/api/messages/s1/send", {
      to: "34600111222",
      type: "text",
      message: "hola",
      queue: true,
    });
    expect([queued.status, queued.data["status"]]).toEqual([200, "pending"]);
    expect(rig.link.sent).toEqual([]);
  });

  test("a refusal by WhatsApp is 422, never a 5xx that clients would repeat", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    rig.link.word = { code: "479" };
    const refused = await rig.post("/api/messages/s1/send", {
      to: "34600111222",
      type: "text",
      message: "hola",
    });
    expect([refused.status, refused.json["code"]]).toEqual([422, "WHATSAPP_ERROR"]);
    rig.link.unknownNumbers.add("34600000001");
    const nobody = await rig.post("/api/messages/s1/send", {
      to: "34600000001",
      type: "text",
      message: "hola",
    });
    expect([nobody.status, nobody.json["code"]]).toEqual([422, "RECIPIENT_NOT_ON_WHATSAPP"]);
  });

  test("reacting, editing and deleting act on the message named, with an id of their own", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const sent = await rig.post("/api/messages/s1/send", {
      to: "34600111222",
      type: "text",
      message: "hola",
    });
    const id = String(sent.data["messageId"]);
    const reacted = await rig.post(`/api/messages/s1/${id}/react`, { emoji: "👍" });
    expect([reacted.status, reacted.data]).toEqual([200, { messageId: id, emoji: "👍" }]);
    const edited = await rig.put(`/api/messages/s1/${id}`, { text: "hola!" });
    expect([edited.status, edited.data["content"]]).toEqual([200, "hola!"]);
    isExactly(messageSchema, edited.data);
    const deleted = await rig.call("DELETE", `/api/messages/s1/wamid.${id}`);
    expect([deleted.status, deleted.data]).toEqual([200, { messageId: id, deleted: true }]);
    const ids = rig.link.sent.map(({ messageId }) => messageId);
    expect(new Set(ids).size).toBe(4);
    expect((await rig.post("/api/messages/s1/3EB0UNKNOWN/react", { emoji: "x" })).json["code"]).toBe(
      "MESSAGE_NOT_FOUND",
    );
  });
});

test("half a character is the same in the event, in lists and in what is sent", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  await rig.tell("s1", aMessageFact({ id: "3A01", content: "half \uD83D" }), {
    kind: "contact",
    jid: ANA,
    change: { name: "\uDC4D Ana" },
    live: true,
  });
  await rig.post("/api/messages/s1/send", { to: "34600111222", type: "text", message: "ours \uD83D" });
  const events = listIn((await rig.get("/api/events?limit=100")).data, "events");
  const told = events.map(({ data }) =>
    recordOf(recordOf(data)["message"] ?? recordOf(data)["contact"] ?? {}),
  );
  const texts = told.map((one) => one["content"] ?? one["name"]);
  expect(texts).toEqual(expect.arrayContaining(["half \uFFFD", "\uFFFD Ana"]));
  const listed = listIn((await rig.get("/api/messages/s1")).data, "messages");
  expect(listed.map(({ content }) => content).sort()).toEqual(["half \uFFFD", "ours \uFFFD"]);
  const [contact] = listIn((await rig.get("/api/contacts/s1")).data, "contacts");
  expect(contact).toMatchObject({ name: "\uFFFD Ana" });
});
