/** What came before its message is kept and becomes true when the message comes. */
import { expect, test } from "vitest";
import type { Fact } from "../../../hub/core/facts.ts";
import { aMessageFact } from "../../support/builders.ts";
import { hours } from "../../support/fixed-clock.ts";
import { names, type Worlds } from "./world.ts";

const CHAT = "34600111222@s.whatsapp.net";
const target = { chatId: CHAT, id: "A" };

const edit: Fact = { kind: "edit", target, content: "edited", at: 20, raw: null };
const react: Fact = {
  kind: "reaction",
  target,
  from: CHAT,
  fromMe: false,
  emoji: "👍",
  atMs: 30_000,
  live: true,
};
const revoke: Fact & { kind: "revoke" } = { kind: "revoke", target, by: CHAT, at: 40, forEveryone: true };
const read: Fact = {
  kind: "status",
  chatId: CHAT,
  ids: ["A", "B"],
  status: "read",
  at: 50,
  participant: null,
};

export function earlyChanges(world: Worlds): void {
  test("edit, reaction and revoke are told after their message, in the order they came", async () => {
    const { store, record, events } = await world();
    await record([edit, react]);
    await record(revoke);
    expect(await events()).toEqual([]);
    await record(aMessageFact({ id: "A" }));
    expect(names(await events())).toEqual([
      "message.received",
      "message.edited",
      "message.reaction",
      "message.deleted",
    ]);
    expect(await store.inbox.message("s1", "A")).toMatchObject({
      content: "edited",
      editedAt: 20,
      status: "deleted",
      reactions: [{ emoji: "👍" }],
    });
  });

  test("a receipt waits for each of its messages on its own", async () => {
    const { store, record, events } = await world();
    await record(aMessageFact({ id: "A", fromMe: true, status: "sent" }));
    await record(read);
    await record(aMessageFact({ id: "B", fromMe: true, status: "sent" }));
    expect(names(await events())).toEqual([
      "message.received",
      "message.read",
      "message.received",
      "message.read",
    ]);
    expect(await store.inbox.message("s1", "B")).toMatchObject({ status: "read" });
  });

  test("is applied once: the same change kept twice, and the message seen again, tell nothing new", async () => {
    const { record, events } = await world();
    await record([react, react]);
    await record(aMessageFact({ id: "A" }));
    await record([aMessageFact({ id: "A" }), react]);
    expect(names(await events())).toEqual(["message.received", "message.reaction"]);
  });

  test("is true as well when the message comes with history, which is not told itself", async () => {
    const { store, record, events } = await world();
    await record(edit);
    await record(aMessageFact({ id: "A" }, { live: false }));
    expect(await store.inbox.message("s1", "A")).toMatchObject({ content: "edited" });
    expect(names(await events())).toEqual(["message.edited"]);
  });

  test("does not touch a message of the same id elsewhere", async () => {
    const { store, record } = await world();
    await record([edit, { ...revoke, target: { ...target, fromMe: false } }]);
    await record([
      aMessageFact({ id: "A", chatId: "34600333444@s.whatsapp.net" }),
      aMessageFact({ id: "A", fromMe: true, status: "sent" }),
    ]);
    expect(await store.inbox.message("s1", "A", "34600333444@s.whatsapp.net")).toMatchObject({
      content: "hola",
    });
    expect(await store.inbox.message("s1", "A", CHAT)).toMatchObject({ status: "sent" });
  });

  test("is forgotten with the intake it came from", async () => {
    const { store, record, clock } = await world();
    await record(edit);
    clock.advance(hours(15 * 24));
    const before = new Date(clock.now().getTime() - hours(14 * 24));
    await store.intake.prune({ blobsBefore: before, rowsBefore: before, limit: 10 });
    await record(aMessageFact({ id: "A" }));
    expect(await store.inbox.message("s1", "A")).toMatchObject({ content: "hola" });
  });
}
