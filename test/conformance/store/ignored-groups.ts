/** `ignoreGroups`: nothing new of groups is kept or told, and everything else goes on as before. */
import { expect, test } from "vitest";
import type { Fact } from "../../../hub/core/facts.ts";
import { aMessage, aMessageFact, anIntakeEntry } from "../../support/builders.ts";
import { names, type World, type Worlds } from "./world.ts";

const GROUP = "120363000000000001@g.us";
const ANA = "34600111222@s.whatsapp.net";

async function ignoring({ store }: World, ignoreGroups: boolean): Promise<void> {
  const session = await store.sessions.get("s1");
  if (session === null) throw new Error("the world has no session");
  await store.sessions.save({ ...session, settings: { ...session.settings, ignoreGroups } }, []);
}

const inGroup = (id: string) => aMessageFact({ id, chatId: GROUP, participant: ANA });
const reaction = (id: string): Fact => ({
  kind: "reaction",
  target: { chatId: GROUP, id },
  from: ANA,
  fromMe: false,
  emoji: "👍",
  atMs: 30_000,
  live: true,
});

const newsOfAGroup = (): Fact[] => [
  inGroup("G"),
  reaction("G"),
  { kind: "edit", target: { chatId: GROUP, id: "G" }, content: "edited", at: 20, raw: null },
  { kind: "status", chatId: GROUP, ids: ["P"], status: "read", at: 50, participant: ANA },
  { kind: "chat", jid: GROUP, change: { name: "Staff" }, live: true },
  { kind: "chat-read", jid: GROUP },
  { kind: "contact", jid: GROUP, change: { name: "Staff" }, live: true },
  { kind: "group", jid: GROUP, subject: "Staff", by: ANA, live: true },
  { kind: "participants", jid: GROUP, action: "add", participants: [ANA], by: ANA },
  { kind: "call", callId: "C", from: ANA, isVideo: false, isGroup: true, status: "offer", at: 60 },
];

export function ignoredGroups(world: Worlds): void {
  test("a session that ignores groups keeps and tells nothing of them, and closes what they came in", async () => {
    const here = await world();
    const { store, record, events } = here;
    const entry = anIntakeEntry({ chat: GROUP });
    await store.auth.commit("s1", { keys: [], intake: [entry] });
    await ignoring(here, true);
    const recorded = await record(newsOfAGroup(), { closes: [entry.digest] });
    expect(recorded).toEqual({ messages: [], lastSeq: null });
    expect(await events()).toEqual([]);
    expect(await store.inbox.chat("s1", GROUP)).toBeNull();
    expect(await store.inbox.contact("s1", GROUP)).toBeNull();
    expect(await store.intake.open("s1")).toEqual([]);
  });

  test("people's messages of the same batch are taken", async () => {
    const here = await world();
    await ignoring(here, true);
    const { messages } = await here.record([inGroup("G"), aMessageFact({ id: "A" })]);
    expect(messages.map(({ id }) => id)).toEqual(["A"]);
    expect(names(await here.events())).toEqual(["message.received"]);
  });

  test("the setting takes effect with the next message, both ways", async () => {
    const here = await world();
    const { store, record } = here;
    await record(inGroup("G1"));
    await ignoring(here, true);
    await record(inGroup("G2"));
    await ignoring(here, false);
    await record([reaction("G3"), inGroup("G3")]);
    const { items } = await store.inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 9 });
    expect(items.map(({ id }) => id)).toEqual(["G1", "G3"]);
  });

  test("what is kept of a group from before goes on changing, so that nobody's copy is left wrong", async () => {
    const here = await world();
    await here.record(inGroup("G"));
    await ignoring(here, true);
    await here.record({
      kind: "revoke",
      target: { chatId: GROUP, id: "G" },
      by: ANA,
      at: 40,
      forEveryone: true,
    });
    expect(names(await here.events()).at(-1)).toBe("message.deleted");
  });

  test("a message sent to an ignored group is kept, and its receipts are told", async () => {
    const here = await world();
    const { store, record, events, clock } = here;
    await ignoring(here, true);
    const message = aMessage({ id: "OUT", chatId: GROUP, fromMe: true, client: "crm" });
    await store.sends.accept({ message, order: "{}", expiresAt: clock.now(), now: clock.now() });
    const read = { kind: "status", chatId: GROUP, status: "read", at: 50, participant: ANA } as const;
    await record({ ...read, ids: ["OUT", "OTHER"] });
    expect(await store.inbox.message("s1", "OUT")).toMatchObject({ status: "read" });
    expect(names(await events())).toContain("message.read");
  });
}
