/** A connection that is open and says nothing: nobody waits for it longer than was promised. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SendOrder, WhatsAppLink } from "../../hub/core/whatsapp.ts";
import { createChatOrders } from "../../hub/inbox/chat-orders.ts";
import { aMessageFact } from "../support/builders.ts";
import { ANA, aRequest, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { until } from "../support/until.ts";

const LATE = { code: "WHATSAPP_ERROR", message: "WhatsApp did not answer in time." };
const never = (): Promise<never> => new Promise(() => undefined);

let inbox: InboxRig;
beforeEach(async () => {
  inbox = await openInbox({ orderMs: 50 });
});
afterEach(() => inbox.close());

const say = async (fromMe: boolean) => {
  const { message } = aMessageFact({ fromMe, status: fromMe ? "sent" : "delivered" });
  await inbox.parts.ingest({ sessionId: "s1", facts: [aMessageFact(message)], closes: [] });
  return { ...aRequest(), messageId: message.id, chatId: ANA };
};
const reactionsOf = async (id: string) => (await inbox.store.inbox.message("s1", id))?.reactions.length;
const falls = (silent: Partial<WhatsAppLink>) => Object.assign(inbox.whatsapp.link("s1"), silent);

/** Sends stay under way until the function returned is called. */
function holdSends(): { begun: SendOrder[]; release: () => void } {
  const begun: SendOrder[] = [];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  inbox.whatsapp.onSend = (order) => {
    begun.push(order);
    return held;
  };
  return { begun, release: () => release() };
}

test("a reaction, an edit and a deletion are given up", async () => {
  const theirs = await say(false);
  const ours = await say(true);
  const { release } = holdSends();
  await expect(inbox.sending.react({ ...theirs, emoji: "👍" })).rejects.toMatchObject(LATE);
  await expect(inbox.sending.edit({ ...ours, text: "hola!" })).rejects.toMatchObject(LATE);
  await expect(inbox.sending.remove({ ...ours, forEveryone: true })).rejects.toMatchObject(LATE);
  expect(await inbox.store.inbox.message("s1", ours.messageId)).toMatchObject({
    editedAt: null,
    deletedAt: null,
  });
  release();
});

test("a reaction sent like a message is given up", async () => {
  const { messageId } = await say(false);
  const { release } = holdSends();
  const content = { kind: "reaction" as const, messageId, emoji: "👍" };
  await expect(inbox.sending.send(aRequest({ content }))).rejects.toMatchObject(LATE);
  release();
});

test("what was on its way is kept when WhatsApp takes it after all; what was not never leaves", async () => {
  const first = await say(false);
  const second = await say(false);
  const { begun, release } = holdSends();
  await expect(inbox.sending.react({ ...first, emoji: "👍" })).rejects.toMatchObject(LATE);
  await expect(inbox.sending.react({ ...second, emoji: "👍" })).rejects.toMatchObject(LATE);
  release();
  await until("it is kept", async () => (await reactionsOf(first.messageId)) === 1);
  await inbox.sending.idle();
  expect(begun).toHaveLength(1);
  expect(await reactionsOf(second.messageId)).toBe(0);
});

test("WhatsApp's word on a reaction is waited for no longer than on any order", async () => {
  const message = await say(false);
  inbox.whatsapp.word = "none";
  const startedAt = performance.now();
  expect((await inbox.sending.react({ ...message, emoji: "👍" })).status).toBe("pending");
  expect(performance.now() - startedAt).toBeLessThan(4_000); // the rig waits 5 s for the word on a message
});

test("a first message goes to the number as it is written when nobody says whether it exists", async () => {
  falls({ lookUp: never });
  expect(await inbox.sending.send(aRequest())).toMatchObject({ chatId: ANA, status: "sent" });
});

test("a question about a number or a picture, a block and a receipt are given up", async () => {
  const { contacts } = inbox.parts;
  const message = await say(false);
  const ana = { kind: "contact" as const, jid: ANA, change: { pushName: "Ana" }, live: false };
  await inbox.parts.ingest({ sessionId: "s1", facts: [ana], closes: [] });
  falls({ lookUp: never, profilePictureUrl: never, block: never, markRead: never });
  const read = { ...message, chatId: ANA, messageIds: null };
  const asked = [
    contacts.lookUp("s1", "34600111444"),
    contacts.picture("s1", ANA),
    contacts.block("s1", ANA, true),
    inbox.sending.markRead(read),
  ];
  const answers = await Promise.allSettled(asked);
  for (const answer of answers) {
    if (answer.status === "fulfilled") throw new Error("it was answered");
    expect(answer.reason).toMatchObject(LATE);
  }
});

test("what is done to a chat is given up, and changes nothing here", async () => {
  const target = await say(false);
  falls({ changeChat: never, showTyping: never });
  const chats = createChatOrders({
    inbox: inbox.store.inbox,
    link: (sessionId) => inbox.whatsapp.link(sessionId),
    ingest: inbox.parts.ingest,
    orderMs: 50,
  });
  await expect(chats.pin(target, true)).rejects.toMatchObject(LATE);
  await expect(chats.showTyping(target, "composing")).rejects.toMatchObject(LATE);
  expect(await inbox.store.inbox.chat("s1", ANA)).toMatchObject({ pinned: false });
});
