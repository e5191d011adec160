/** Links between records, whichever of them comes first: a message and its author, an answer and what it answers. */
import { expect, test } from "vitest";
import { aChat, aContact, aMessage, ANA, EVA, GROUP, HIDDEN, NOW } from "./records.ts";
import type { Abilities, CrmWorld, CrmWorlds } from "./world.ts";

const inGroup = (messageId: string, participant: string) =>
  aMessage({ messageId, chatId: GROUP, participant, from: participant });

/** Whether the message is linked to the contact; a CRM that links none by a field of its own has nothing to show. */
async function isLinked({ look }: CrmWorld, messageId: string, contactId: string): Promise<void> {
  const [message] = (await look("WhatsApp Message", { message_id: messageId })) ?? [];
  if (message === undefined || !("contact" in message)) return;
  const [contact] = (await look("WhatsApp Contact", { contact_id: contactId })) ?? [];
  expect(message["contact"]).toBe(contact?.["name"]);
}

async function answers(
  { look }: CrmWorld,
  answer: string,
  asked: string,
  where: Record<string, unknown> = {},
): Promise<void> {
  const [reply] = (await look("WhatsApp Message", { message_id: answer, ...where })) ?? [];
  const [question] = (await look("WhatsApp Message", { message_id: asked, ...where })) ?? [];
  expect(reply?.["quoted_message"]).toBe(question?.["name"]);
}

export function lateLinks(world: CrmWorlds, able: Abilities): void {
  test("a message of a group that comes before its author's contact is linked when that comes", async () => {
    const crm = await world();
    await crm.messages([inGroup("A", ANA), inGroup("B", EVA)], 1);
    expect(await crm.contacts([aContact()], 2)).toEqual(["created"]);
    await isLinked(crm, "A", ANA);
    // A chat makes the bare contact of a person as well.
    await crm.chats([aChat({ chatId: EVA })], 3);
    await isLinked(crm, "B", EVA);
  });

  test("a group that is told as a contact as well takes no message from its authors", async () => {
    const crm = await world();
    await crm.contacts([aContact()], 1);
    await crm.messages([inGroup("A", ANA)], 2);
    await crm.contacts([aContact({ id: GROUP, name: "Friends", isGroup: true, isUser: false })], 3);
    await isLinked(crm, "A", ANA);
    await crm.messages([inGroup("B", ANA)], 4);
    await isLinked(crm, "B", ANA);
  });

  test.runIf(able.remembersMerges)(
    "a message of a group is linked to its author when their hidden id gets its number",
    async () => {
      const crm = await world();
      await crm.messages([inGroup("A", HIDDEN), inGroup("B", ANA)], 1);
      await crm.messages([aMessage({ messageId: "C", chatId: HIDDEN, from: HIDDEN })], 2);
      await crm.adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 3 });
      await isLinked(crm, "A", ANA);
      await isLinked(crm, "B", ANA);
    },
  );

  test("an answer that comes before what it answers is linked when that comes", async () => {
    const crm = await world();
    const answer = aMessage({ messageId: "B", quotedMessageId: "A", timestamp: NOW + 1 });
    expect(await crm.messages([answer], 2)).toEqual(["created"]);
    expect(await crm.messages([aMessage({ messageId: "A" })], 1)).toEqual(["created"]);
    await answers(crm, "B", "A");
    expect(await crm.messages([answer], 2)).toEqual(["unchanged"]);
  });

  test("an answer and what it answers may come together, in either order", async () => {
    const crm = await world();
    const asked = aMessage({ messageId: "A" });
    const answer = aMessage({ messageId: "B", quotedMessageId: "A", timestamp: NOW + 1 });
    expect(await crm.messages([answer, asked], 1)).toEqual(["created", "created"]);
    await answers(crm, "B", "A");
  });

  test.runIf(able.wholeMessageKey)("a message of another chat is not what an answer answers", async () => {
    const crm = await world();
    await crm.messages([aMessage({ messageId: "B", quotedMessageId: "A" })], 1);
    await crm.messages([aMessage({ messageId: "A", chatId: EVA })], 2);
    const [reply] = (await crm.look("WhatsApp Message", { message_id: "B" })) ?? [];
    expect(reply?.["quoted_message"] ?? null).toBe(null);
  });

  test.runIf(able.remembersMerges)("an answer is linked to the copy that stays of two", async () => {
    const crm = await world();
    const own = { messageId: "A", fromMe: true, status: "sent" } as const;
    await crm.messages([aMessage({ ...own, chatId: HIDDEN, to: HIDDEN })], 1);
    await crm.messages(
      [aMessage({ messageId: "B", chatId: HIDDEN, from: HIDDEN, quotedMessageId: "A", timestamp: NOW + 1 })],
      2,
    );
    await crm.messages([aMessage(own)], 3);
    await crm.adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 4 });
    await answers(crm, "B", "A");
  });
}
