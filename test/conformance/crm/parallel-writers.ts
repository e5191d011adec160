/** Webhook, feed and sync may write the same record at the same moment. */
import { expect, test } from "vitest";
import { aChat, aContact, aMessage, ANA, NOW } from "./records.ts";
import type { CrmWorlds } from "./world.ts";

const TIMES = 20;
const times = <T>(work: () => Promise<T[]>): Promise<T[]> =>
  Promise.all(Array.from({ length: TIMES }, work)).then((all) => all.flat());

export function parallelWriters(world: CrmWorlds): void {
  test("one message written twenty times at once is there once", async () => {
    const { messages, adapter } = await world();
    const message = aMessage({ messageId: "A" });
    const outcomes = await times(() => messages([message], 5));
    expect(outcomes.filter((outcome) => outcome === "created")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "unchanged")).toHaveLength(TIMES - 1);
    expect(await adapter.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: 1 });
  });

  test("twenty first messages of a chat make one chat and one contact", async () => {
    const { messages, adapter } = await world();
    const outcomes = await times(() => messages([aMessage()], 5));
    expect(outcomes).toEqual(Array(TIMES).fill("created"));
    expect(await adapter.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: TIMES });
  });

  test("contacts and chats written at once are there once", async () => {
    const { contacts, chats, adapter } = await world();
    await Promise.all([
      times(() => contacts([aContact()], 5)),
      times(() => chats([aChat()], 5)),
      times(() => contacts([aContact()], 5)),
    ]);
    expect(await adapter.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: 0 });
  });

  test("pages of a sync and single webhooks in between neither lose nor double anything", async () => {
    const { messages, adapter } = await world();
    const said = Array.from({ length: 60 }, (_, n) =>
      aMessage({ messageId: `M${n}`, timestamp: NOW + n, content: `${n}` }),
    );
    await Promise.all([
      messages(said.slice(0, 50), 5),
      ...said.slice(30).map((message) => messages([message], 6)),
      messages(said.slice(0, 50), 5),
    ]);
    expect(await adapter.totals("s1")).toMatchObject({ chats: 1, messages: 60 });
    expect(await adapter.chatDigests("s1")).toEqual([
      { chatId: ANA, messages: 60, oldest: NOW, newest: NOW + 59 },
    ]);
  });
}
