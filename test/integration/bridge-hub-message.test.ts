/** Single messages of the hub, and those that changed, as the bridge asks for them. */
import { expect, onTestFinished, test } from "vitest";
import { createHubClient } from "../../bridge/hub-client-http.ts";
import { aMessageFact, T0_SECONDS } from "../support/builders.ts";
import { openHttpRig } from "../support/http-rig.ts";
import { logBook } from "../support/log-book.ts";

const GROUP = "120363000000000001@g.us";
const name = { chatId: GROUP, messageId: "3A01" };

async function open() {
  const rig = await openHttpRig();
  const client = createHubClient({
    url: rig.url,
    apiKey: rig.key,
    userAgent: "InboxBridge/test",
    log: logBook(),
  });
  onTestFinished(() => client.close());
  await rig.session("s1");
  return { rig, client };
}

test("the one of the author who is named, or the newest", async () => {
  const { rig, client } = await open();
  const from = (participant: string, second: number) =>
    aMessageFact({ id: "3A01", chatId: GROUP, participant, timestamp: T0_SECONDS + second });
  await rig.tell("s1", from("34600111222@s.whatsapp.net", 0), from("34600333444@s.whatsapp.net", 5));
  const authorOf = async (author: object) =>
    (await client.message("s1", { ...name, ...author }))?.message.participant;

  expect(await authorOf({})).toBe("34600333444@c.us");
  expect(await authorOf({ fromMe: false, participant: "34600111222@c.us" })).toBe("34600111222@c.us");
  expect(await authorOf({ fromMe: true, participant: null })).toBeUndefined();
});

test("what changed since, of all chats", async () => {
  const { rig, client } = await open();
  const chatId = "34600111222@s.whatsapp.net";
  await rig.tell("s1", aMessageFact({ id: "3A01", chatId }), aMessageFact({ id: "3A02", chatId }));
  await rig.tell("s1", aMessageFact({ id: "3A03", chatId: GROUP, participant: chatId }));
  rig.clock.advance(60_000);
  const updatedAfter = Math.floor(rig.clock.now().getTime() / 1000) - 1;
  await rig.tell("s1", { kind: "edit", target: { chatId, id: "3A01" }, content: "x", at: 9, raw: null });
  const { items } = await client.changedMessages("s1", { limit: 5, updatedAfter });
  expect(items).toMatchObject([{ messageId: "3A01", content: "x", chatId: "34600111222@c.us" }]);
});
