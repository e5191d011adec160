import { expect, test } from "vitest";
import { factsOfHistory } from "../../hub/whatsapp/translate/history.ts";

const ME = { phone: "34600999888@s.whatsapp.net", lid: "999888@lid" };
const ANA = "34600111222@s.whatsapp.net";
const ANA_LID = "111222@lid";
const GROUP = "120363000000000001@g.us";
const T = 1_769_853_600;

const text = (id: string, conversation: string, messageTimestamp: number) => ({
  key: { remoteJid: ANA, fromMe: false, id },
  message: { conversation },
  messageTimestamp,
});

test("people first, then chats, then messages from old to new, with the unread ones marked", () => {
  const all = factsOfHistory(
    "s1",
    {
      chats: [
        { id: ANA, unreadCount: 1, conversationTimestamp: T + 3, pinned: 0, muteEndTime: (T + 99) * 1000 },
      ],
      contacts: [
        { id: ANA, name: "Ana", lid: ANA_LID },
        { id: GROUP, name: "Vecinos" },
      ],
      messages: [
        text("3A03", "m3", T + 3),
        text("3A01", "m1", T + 1),
        text("3A02", "m2", T + 2),
        text("3A00", "too old", T - 99),
      ],
    },
    { me: ME, oldest: T },
  );
  expect(all.map(({ kind }) => kind)).toEqual([
    "lid",
    "contact",
    "group",
    "chat",
    "message",
    "message",
    "message",
  ]);
  expect(all.find(({ kind }) => kind === "chat")).toMatchObject({
    change: { unreadCount: 1, muteExpiration: T + 99 },
    live: false,
  });
  const stored = all.flatMap((fact) => (fact.kind === "message" ? [fact] : []));
  expect(stored.map(({ message }) => [message.content, message.status])).toEqual([
    ["m1", "read"],
    ["m2", "read"],
    ["m3", "delivered"],
  ]);
  expect(stored.every(({ live }) => !live)).toBe(true);
});

test("reactions lie in their message, and own messages keep how far they came", () => {
  const all = factsOfHistory(
    "s1",
    {
      chats: [],
      contacts: [],
      messages: [
        {
          key: { remoteJid: ANA, fromMe: true, id: "3EB0" },
          message: { conversation: "hola" },
          messageTimestamp: T,
          status: 4,
          reactions: [
            {
              key: { remoteJid: ANA, fromMe: false, id: "3AR" },
              text: "👍",
              senderTimestampMs: T * 1000 + 5,
            },
            { key: { remoteJid: ANA, fromMe: false, id: "3AR2" }, text: "" },
          ],
        },
      ],
    },
    { me: ME, oldest: 0 },
  );
  expect(all).toMatchObject([
    { kind: "message", message: { fromMe: true, status: "read" } },
    { kind: "reaction", target: { id: "3EB0", fromMe: true }, from: ANA, emoji: "👍", atMs: T * 1000 + 5 },
  ]);
  expect(all).toHaveLength(2);
});
