/** I10 sees every message: those that share an id as well, which only their chat, their side or their author tells apart. */
import { expect, test } from "vitest";
import type { Message } from "../../hub/core/message.ts";
import { aMessageFact } from "../support/builders.ts";
import { openBridgeStand, person, SESSION, settle } from "./bridge-stand.ts";
import { differences, messagesOfCrm } from "./hub-and-crm.ts";

const GROUP = "34600100001-1700000000@g.us";
const ID = "3A0000000000000000AA";

test.each<[string, Partial<Message>, Partial<Message>]>([
  ["two chats", { chatId: person(1) }, { chatId: person(2) }],
  ["both sides of a chat", { chatId: person(1) }, { chatId: person(1), fromMe: true }],
  [
    "two members of a group",
    { chatId: GROUP, participant: person(1) },
    { chatId: GROUP, participant: person(2) },
  ],
])("I10: of two messages with one id, of %s, the one that is missing is seen", async (_where, one, other) => {
  const { hub, site } = await openBridgeStand();
  await hub.tell(
    SESSION,
    [one, other].map((change) => aMessageFact({ ...change, id: ID })),
  );
  await site.start();
  expect(await settle({ hub }, site)).toEqual([]);
  const [kept, ...gone] = messagesOfCrm(site);
  expect(gone).toHaveLength(1);
  expect(kept).not.toBe(gone[0]);

  site.inFile((db) =>
    db.exec("DELETE FROM whatsapp_message WHERE n = (SELECT max(n) FROM whatsapp_message)"),
  );
  expect(differences(hub, site)).toEqual([expect.stringMatching(/^1 lost: /)]);
});
