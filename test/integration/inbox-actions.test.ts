import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { aMessageFact } from "../support/builders.ts";
import { minutes } from "../support/fixed-clock.ts";
import { ANA, aRequest, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { until } from "../support/until.ts";

let inbox: InboxRig;
beforeEach(async () => {
  inbox = await openInbox();
});
afterEach(() => inbox.close());

const GROUP = "120363000000000000@g.us";
const BEN = "34600111333@s.whatsapp.net";

const receive = async (change: Parameters<typeof aMessageFact>[0] = {}) => {
  const fact = aMessageFact(change);
  await inbox.parts.ingest({ sessionId: "s1", facts: [fact], closes: [] });
  return fact.message;
};
const on = ({ id }: { id: string }) => ({ ...aRequest(), messageId: id, chatId: null });
const stored = (id: string) => inbox.store.inbox.message("s1", id);
const ARRIVAL = ["message.received", "contact.updated"];
const events = async () => (await inbox.events()).filter((event) => !ARRIVAL.includes(event));

describe("a reaction", () => {
  test("becomes true when WhatsApp took it, and an empty one takes it back", async () => {
    const message = await receive();
    await inbox.sending.react({ ...on(message), emoji: "👍" });
    expect(inbox.whatsapp.sent[0]?.content).toEqual({
      kind: "reaction",
      target: { chatId: ANA, id: message.id, fromMe: false, participant: null },
      emoji: "👍",
    });
    expect((await stored(message.id))?.reactions).toMatchObject([{ emoji: "👍", fromMe: true }]);
    expect(await events()).toEqual(["message.reaction"]);

    inbox.clock.advance(minutes(1));
    await inbox.sending.react({ ...on(message), emoji: "" });
    expect((await stored(message.id))?.reactions).toEqual([]);
  });

  test("refused by WhatsApp changes nothing", async () => {
    const message = await receive();
    inbox.whatsapp.word = { code: "400" };
    await expect(inbox.sending.react({ ...on(message), emoji: "👍" })).rejects.toMatchObject({
      code: "WHATSAPP_ERROR",
    });
    expect((await stored(message.id))?.reactions).toEqual([]);
  });

  test("taken after the answer is still kept", async () => {
    await inbox.close();
    inbox = await openInbox({ ackWaitMs: 20 });
    const message = await receive();
    inbox.whatsapp.word = "none";
    const { status } = await inbox.sending.react({ ...on(message), emoji: "👍" });
    expect(status).toBe("pending");
    const order = inbox.whatsapp.sent[0];
    if (order === undefined) throw new Error("nothing was sent");
    await inbox.whatsapp.says(order, "taken");
    await until("it is kept", async () => (await stored(message.id))?.reactions.length === 1);
  });

  test("sent like a message is answered under its own id", async () => {
    const message = await receive();
    const answer = await inbox.sending.send(
      aRequest({
        content: { kind: "reaction", messageId: message.id, emoji: "❤️" },
        reservedId: "3EB0RESERVED",
      }),
    );
    expect(answer).toMatchObject({ id: "3EB0RESERVED", type: "reaction", content: "❤️", status: "sent" });
    expect(inbox.whatsapp.sent.map(({ messageId }) => messageId)).toEqual(["3EB0RESERVED"]);
  });

  test("to somebody in a group names its author", async () => {
    const message = await receive({ chatId: GROUP, participant: BEN });
    await inbox.sending.react({ ...on(message), emoji: "👍" });
    expect(inbox.whatsapp.sent[0]).toMatchObject({
      chatId: GROUP,
      content: { target: { participant: BEN } },
    });
  });
});

describe("an edit", () => {
  test("changes the text here once WhatsApp took it", async () => {
    const { id } = await inbox.sending.send(aRequest());
    const { message } = await inbox.sending.edit({ ...on({ id }), text: "hola!" });
    expect(message).toMatchObject({ id, content: "hola!" });
    expect(message.editedAt).not.toBeNull();
    expect(await events()).toEqual(["message.sent", "message.edited"]);
  });

  test("of somebody else's message, or of an old one, is refused before anything leaves", async () => {
    const theirs = await receive();
    await expect(inbox.sending.edit({ ...on(theirs), text: "x" })).rejects.toMatchObject({
      code: "STATE_CONFLICT",
    });
    const ours = await inbox.sending.send(aRequest());
    inbox.clock.advance(minutes(16));
    await expect(inbox.sending.edit({ ...on(ours), text: "x" })).rejects.toMatchObject({
      code: "STATE_CONFLICT",
    });
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });
});

describe("a deletion", () => {
  test("for everyone is told to WhatsApp, and once is enough", async () => {
    const { id } = await inbox.sending.send(aRequest());
    await inbox.sending.remove({ ...on({ id }), forEveryone: true });
    expect((await stored(id))?.status).toBe("deleted");
    await inbox.sending.remove({ ...on({ id }), forEveryone: true });
    expect(inbox.whatsapp.sent.map(({ content }) => content.kind)).toEqual(["text", "delete"]);
    expect(await events()).toEqual(["message.sent", "message.deleted"]);
  });

  test("for us alone tells WhatsApp nothing, and works while not connected", async () => {
    const message = await receive();
    inbox.whatsapp.goesAway();
    await inbox.sending.remove({ ...on(message), forEveryone: false });
    expect((await stored(message.id))?.deletedAt).not.toBeNull();
    expect(inbox.whatsapp.sent).toEqual([]);
  });

  test("of somebody else's message for everyone is for groups only", async () => {
    const direct = await receive();
    await expect(inbox.sending.remove({ ...on(direct), forEveryone: true })).rejects.toMatchObject({
      code: "STATE_CONFLICT",
    });
    const inGroup = await receive({ chatId: GROUP, participant: BEN });
    await inbox.sending.remove({ ...on(inGroup), forEveryone: true });
    expect(inbox.whatsapp.sent[0]?.content).toMatchObject({ kind: "delete", target: { participant: BEN } });
  });
});

describe("reading", () => {
  const read = (messageIds: string[] | null = null) =>
    inbox.sending.markRead({
      sessionId: "s1",
      chatId: "34600111222",
      messageIds,
      numbering: aRequest().numbering,
    });
  const unread = async () => (await inbox.store.inbox.chat("s1", ANA))?.unreadCount;

  test("a chat tells WhatsApp about each unread message and leaves none", async () => {
    const messages = [await receive(), await receive()];
    expect(await unread()).toBe(2);
    expect(await read()).toEqual({ chatId: ANA, marked: 2 });
    expect(inbox.whatsapp.readKeys.map(({ id }) => id).sort()).toEqual(messages.map(({ id }) => id).sort());
    expect(await unread()).toBe(0);
  });

  test("a chat without anything unread, or an unknown one, is fine, even while not connected", async () => {
    inbox.whatsapp.goesAway();
    expect(await read()).toEqual({ chatId: ANA, marked: 0 });
  });

  test("needs a connection when something is unread, and stays unread without one", async () => {
    await receive();
    inbox.whatsapp.goesAway();
    await expect(read()).rejects.toMatchObject({ code: "SESSION_NOT_CONNECTED" });
    expect(await unread()).toBe(1);
  });

  test("named messages leaves out unknown ones and our own", async () => {
    const theirs = await receive();
    const ours = await inbox.sending.send(aRequest());
    expect((await read([theirs.id, ours.id, "3ANOBODY"])).marked).toBe(1);
  });
});

test("an unknown message is not found, whatever is wanted of it", async () => {
  const unknown = on({ id: "3ANOBODY" });
  for (const order of [
    inbox.sending.react({ ...unknown, emoji: "👍" }),
    inbox.sending.edit({ ...unknown, text: "x" }),
    inbox.sending.remove({ ...unknown, forEveryone: true }),
    inbox.sending.retry(unknown),
    inbox.sending.forward({ ...unknown, to: "34600111333" }),
  ])
    await expect(order).rejects.toMatchObject({ code: "MESSAGE_NOT_FOUND" });
});
