/** Totals and digests: what reconciling compares with the hub. */
import { expect, test } from "vitest";
import { aContact, aMessage, ANA, EVA, GROUP, NOW } from "./records.ts";
import type { CrmWorlds } from "./world.ts";

export function counts(world: CrmWorlds): void {
  test("an account nobody wrote to has nothing", async () => {
    const { adapter } = await world();
    expect(await adapter.totals("s1")).toEqual({ contacts: 0, chats: 0, messages: 0 });
    expect(await adapter.chatDigests("s1")).toEqual([]);
  });

  test("each session counts its own", async () => {
    const { adapter, contacts, messages } = await world();
    await contacts([aContact(), aContact({ id: "34600777888@c.us" })]);
    await messages([aMessage(), aMessage({ chatId: EVA }), aMessage({ chatId: EVA })]);
    await messages([aMessage({ sessionId: "s2", chatId: GROUP, participant: ANA })], null, "s2");
    expect(await adapter.totals("s1")).toEqual({ contacts: 3, chats: 2, messages: 3 });
    expect(await adapter.totals("s2")).toMatchObject({ chats: 1, messages: 1 });
  });

  test("a digest says how many messages a chat has, and from when to when", async () => {
    const { adapter, messages } = await world();
    await messages([
      aMessage({ timestamp: NOW }),
      aMessage({ timestamp: NOW - 3600 }),
      aMessage({ timestamp: NOW + 60, fromMe: true }),
      aMessage({ chatId: EVA, timestamp: NOW - 1 }),
    ]);
    const digests = (await adapter.chatDigests("s1")).toSorted((a, b) => (a.chatId < b.chatId ? -1 : 1));
    expect(digests).toEqual([
      { chatId: ANA, messages: 3, oldest: NOW - 3600, newest: NOW + 60 },
      { chatId: EVA, messages: 1, oldest: NOW - 1, newest: NOW - 1 },
    ]);
    expect(await adapter.chatDigests("s1", [EVA, "34699999999@c.us"])).toEqual([digests[1]]);
    expect(await adapter.chatDigests("s1", [])).toEqual([]);
  });
}
