/** What a CRM hears of unread counts: one word a chat for many messages, also after a kill. */
import { expect, test } from "vitest";
import { startChatNews } from "../../hub/inbox/chat-news.ts";
import { createIngest } from "../../hub/inbox/ingest.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { aMessageFact, aNewSession } from "../support/builders.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

test("many messages of a chat are one word of it, and what was not said before a stop is said after the start", async () => {
  const clock = fixedClock();
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "http://hub.example", clock });
  await store.sessions.create(aNewSession());
  const nudge = createNudge();
  const ingest = createIngest({ inbox: store.inbox, clock, nudge });
  const start = () => startChatNews({ inbox: store.inbox, ingest, clock, nudge, log: logBook() });
  const says = (chatId: string) => ingest({ sessionId: "s1", facts: [aMessageFact({ chatId })], closes: [] });
  const told = async () => {
    const rows = await store.events.after({ after: 0, limit: 100, sessions: "*", types: ["chat.updated"] });
    return rows.map(({ body }) => {
      const { data } = JSON.parse(body) as { data: { chatId: string; chat: { unreadCount: number } } }; // the hub's own shape
      return [data.chatId, data.chat.unreadCount];
    });
  };
  let news = start();
  try {
    for (let n = 0; n < 5; n += 1) await says("34600111222@s.whatsapp.net");
    await until("the chat is told of", async () => (await told()).length > 0);
    expect(await told()).toEqual([["34600111222@c.us", 5]]);

    await says("34600333444@s.whatsapp.net");
    await news.stop();
    expect(await told()).toHaveLength(1);
    news = start();
    await until("the other one is told of", async () => (await told()).length > 1);
    expect((await told())[1]).toEqual(["34600333444@c.us", 1]);

    // Called otherwise, though nobody wrote.
    const fact = {
      kind: "contact",
      jid: "34600333444@s.whatsapp.net",
      change: { name: "Eva" },
      live: true,
    } as const;
    await ingest({ sessionId: "s1", facts: [fact], closes: [] });
    await until("the new name is told of", async () => (await told()).length > 2);
  } finally {
    await news.stop();
    await store.close();
  }
});
