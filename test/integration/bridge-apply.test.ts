/** What each event becomes in the CRM. */
import { describe, expect, test } from "vitest";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import { HubUnavailable } from "../../bridge/errors.ts";
import type { HubEvent } from "../../hub/contract/index.ts";
import { aMessage, T0, T0_SECONDS } from "../support/builders.ts";
import { createFakeHub, hubDown, type FakeHub } from "../support/fake-hub.ts";
import { eventOf, openReceiverRig, toldOf, type RigOptions } from "../support/receiver-rig.ts";

const ANA = "34600111222@c.us";
const GROUP = "120363000000000001@g.us";

async function open(options: RigOptions = {}) {
  const hub = createFakeHub();
  hub.store.addSession({ sessionId: "s1" });
  const rig = await openReceiverRig({ hub, ...options });
  const first = async (doctype: string) => {
    const [record, ...more] = await rig.records(doctype);
    if (record === undefined || more.length > 0) throw new Error(`not one ${doctype}`);
    return record;
  };
  return { ...rig, hub, message: () => first("WhatsApp Message"), first };
}

const key = { chatId: ANA, messageId: "3A01" };
const says = (hub: FakeHub, change = {}): HubEvent =>
  hub.receives("s1", { ...key, content: "hola", ...change });

describe("a message", () => {
  test("brings its chat and its person", async () => {
    const { hub, post, message, first } = await open();
    expect((await post(says(hub))).action).toBe("created");
    expect(await message()).toMatchObject({ message_id: "3A01", content: "hola", status: "Delivered" });
    expect(await first("WhatsApp Conversation")).toMatchObject({ chat_id: ANA, last_message: "hola" });
    expect(await first("WhatsApp Contact")).toMatchObject({ contact_id: ANA });
  });

  test("of ours rises through its statuses, whatever order they come in", async () => {
    const { hub, post, message } = await open();
    const sent = says(hub, { fromMe: true, status: "sent" });
    const delivered = hub.raises("s1", key, "delivered");
    const read = hub.raises("s1", key, "read");
    expect((await post(sent)).action).toBe("created");
    expect((await post(read)).action).toBe("status_updated");
    // When it was delivered nobody had told yet.
    expect((await post(delivered)).action).toBe("status_updated");
    expect(await message()).toMatchObject({ status: "Read", delivered_at: expect.any(String) as string });
  });

  test("of ours is brought by its status, also where the other side used its id", async () => {
    const { hub, post, records } = await open();
    hub.store.addMessage("s1", { ...key, fromMe: true, status: "read" });
    await post(says(hub));
    const read = { ...key, status: "read", ack: 3, readAt: T0_SECONDS };
    expect((await post(hub.store.emit("message.read", "s1", read))).status).toBe(200);
    expect(await records("WhatsApp Message")).toMatchObject([
      { from_me: 0, status: "Delivered" },
      { from_me: 1, status: "Read" },
    ]);
  });

  test("that failed keeps why", async () => {
    const { hub, post, message } = await open();
    await post(says(hub, { fromMe: true, status: "pending" }));
    const failed = hub.store.emit("message.failed", "s1", {
      ...key,
      status: "failed",
      ack: -1,
      code: "463",
      error: "restricted",
    });
    expect((await post(failed)).action).toBe("status_updated");
    expect(await message()).toMatchObject({ status: "Failed", error_message: "restricted" });
  });

  test("is edited, reacted to and deleted", async () => {
    const { hub, post, message } = await open();
    await post(says(hub));
    expect((await post(hub.edits("s1", key, "adiós"))).action).toBe("updated");
    expect(await message()).toMatchObject({ content: "adiós" });
    const target = { chatId: "34600111222@s.whatsapp.net", id: "3A01", fromMe: false, participant: null };
    const reacted = toldOf(
      { kind: "reacted", target, from: target.chatId, fromMe: false, emoji: "👍", atMs: T0.getTime() },
      50,
    );
    expect((await post(reacted)).action).toBe("updated");
    expect(await message()).toMatchObject({ has_reaction: 1 });
    const deleted = toldOf(
      { kind: "deleted", target, by: target.chatId, at: T0_SECONDS, forEveryone: true },
      51,
    );
    expect((await post(deleted)).action).toBe("updated");
    expect(await message()).toMatchObject({ status: "Deleted" });
  });

  test("with the id of another one keeps its words when that one is edited, reacted to and deleted", async () => {
    const { hub, post, records } = await open();
    const [ANAS, EVAS] = ["34600111222@s.whatsapp.net", "34600333444@s.whatsapp.net"];
    const inGroup = { chatId: GROUP, isGroup: true };
    await post(says(hub, { ...inGroup, participant: ANA }));
    await post(says(hub, { ...inGroup, participant: "34600333444@c.us", timestamp: T0_SECONDS + 5 }));
    const target = { chatId: GROUP, id: "3A01", fromMe: false, participant: ANAS };
    const edited = aMessage({ ...target, content: "adiós", editedAt: T0_SECONDS });
    await post(toldOf({ kind: "edited", message: edited, at: T0_SECONDS }, 50));
    const reaction = { from: EVAS, fromMe: false, emoji: "👍", atMs: T0.getTime() };
    await post(toldOf({ kind: "reacted", target, ...reaction }, 51));
    await post(toldOf({ kind: "deleted", target, by: ANAS, at: T0_SECONDS, forEveryone: true }, 52));
    expect(await records("WhatsApp Message")).toMatchObject([
      { participant: ANA, content: "adiós", status: "Deleted", has_reaction: 1 },
      { participant: "34600333444@c.us", content: "hola", status: "Delivered", has_reaction: 0 },
    ]);
  });
});

test("a message whose content came after all is taken as the hub has it now", async () => {
  const { hub, post, message } = await open();
  await post(says(hub, { content: "could not be read" }));
  hub.store.changeMessage("s1", key, { content: "hola", body: "hola" });
  const told = { ...key, message: says(hub, { content: "hola" }).data["message"] };
  expect((await post(hub.store.emit("message.updated", "s1", told))).action).toBe("updated");
  expect(await message()).toMatchObject({ content: "hola" });
});

describe("a change of a message the CRM does not have", () => {
  test.each(["status", "edit", "deletion"] as const)("(%s) brings the message first", async (kind) => {
    const { hub, post, message } = await open();
    says(hub, { fromMe: true, status: "sent" });
    const event =
      kind === "status"
        ? hub.raises("s1", key, "delivered")
        : kind === "edit"
          ? hub.edits("s1", key, "adiós")
          : hub.deletes("s1", key);
    const { status, action } = await post(event);
    expect([status, action]).toEqual([200, kind === "status" ? "status_updated" : "created"]);
    const wanted = {
      status: { status: "Delivered" },
      edit: { content: "adiós" },
      deletion: { status: "Deleted" },
    };
    expect(await message()).toMatchObject(wanted[kind]);
    expect(hub.calls.filter(({ method }) => method === "message")).toHaveLength(1);
  });

  test("is done when the hub does not have it either; an edit carries it along", async () => {
    const { hub, post, records } = await open();
    says(hub, { fromMe: true, status: "sent" });
    const read = hub.raises("s1", key, "read");
    const edit = hub.edits("s1", key, "adiós");
    hub.store.removeMessage("s1", key);
    expect(await post(read)).toMatchObject({ status: 200, action: "ignored" });
    expect(await records("WhatsApp Message")).toEqual([]);
    expect(await post(edit)).toMatchObject({ status: 200, action: "created" });
  });

  test("waits for a hub that does not answer", async () => {
    const { hub, post, message } = await open();
    says(hub, { fromMe: true, status: "sent" });
    const read = hub.raises("s1", key, "read");
    hub.before = () => {
      throw hubDown();
    };
    expect((await post(read)).status).toBe(503);
    hub.before = () => undefined;
    expect((await post(read)).action).toBe("status_updated");
    expect(await message()).toMatchObject({ status: "Read" });
  });
});

describe("an event too big for its texts", () => {
  test("has them read from the hub", async () => {
    const { hub, post, message } = await open();
    const event = says(hub, { content: "x".repeat(9000), body: "x".repeat(9000) });
    const cut = { ...(event.data["message"] as object), content: "x", body: "x" }; // as the fake hub made it
    await post({ ...event, data: { ...event.data, message: cut, truncated: true, href: "" } });
    expect(String((await message())["content"])).toHaveLength(9000);
  });

  test("and of which nothing is left has its chat's last messages read", async () => {
    const { hub, post, message, syncs } = await open();
    const { seq } = says(hub);
    const href = `http://hub.example/api/messages/s1/${encodeURIComponent(ANA)}`;
    const bare = eventOf({ event: "message.received", data: { truncated: true, href } }, seq);
    expect(await post(bare)).toMatchObject({ status: 200, action: "updated" });
    expect(await message()).toMatchObject({ message_id: "3A01" });
    const group = eventOf({ event: "group.updated", data: { truncated: true, href } }, seq + 1);
    expect((await post(group)).action).toBe("sync_started");
    expect(syncs).toEqual(["s1 gap"]);
  });
});

describe("people and chats", () => {
  test("are written as they are told", async () => {
    const { hub, post, first } = await open();
    await post(hub.changesContact("s1", ANA, { name: "Ana Bo" }));
    expect(await first("WhatsApp Contact")).toMatchObject({ contact_id: ANA, contact_name: "Ana Bo" });
    await post(hub.changesChat("s1", ANA, { unreadCount: 4 }));
    expect(await first("WhatsApp Conversation")).toMatchObject({ unread_count: 4 });
  });

  test("whose event tells one member alone are read from the hub", async () => {
    const { hub, post, first } = await open();
    hub.store.addChat("s1", { chatId: ANA, archived: true });
    const archived = hub.store.emit("chat.archived", "s1", { chatId: ANA, isArchived: true });
    expect((await post(archived)).action).toBe("created");
    expect(await first("WhatsApp Conversation")).toMatchObject({ is_archived: 1 });
    const unknown = hub.store.emit("chat.archived", "s1", { chatId: "34600000009@c.us", isArchived: true });
    expect((await post(unknown)).action).toBe("ignored");
  });

  test("and that the hub will never tell more about hold nobody up: those of a deleted session, and what no question may name", async () => {
    const { hub, post } = await open();
    const ofGone = hub.store.emit("chat.archived", "s1", { chatId: ANA, isArchived: true });
    const refuses = (code: string) => () => {
      throw new HubUnavailable("The hub refused it", { status: 400, code });
    };
    hub.before = refuses("SESSION_NOT_FOUND");
    expect((await post(ofGone)).action).toBe("ignored");
    hub.before = refuses("VALIDATION_ERROR");
    const odd = hub.store.emit("chat.archived", "s1", { chatId: ANA, isArchived: false });
    expect((await post(odd)).status).toBe(422);
    // A hub that is only away is asked again.
    hub.before = refuses("OVERLOADED");
    const later = hub.store.emit("chat.archived", "s1", { chatId: ANA, isArchived: true });
    expect((await post(later)).status).toBe(503);
  });

  test("that are groups change their name as chat and as contact", async () => {
    const { hub, post, first } = await open();
    hub.store.addChat("s1", { chatId: GROUP, name: "Team", isGroup: true });
    hub.store.addContact("s1", { id: GROUP, name: "Team" });
    const told = { groupId: GROUP, group: { id: GROUP, subject: "Team" }, by: null };
    await post(hub.store.emit("group.updated", "s1", told));
    expect(await first("WhatsApp Contact")).toMatchObject({ contact_name: "Team", is_group: 1 });
    expect(await first("WhatsApp Conversation")).toMatchObject({ contact_name: "Team", is_group: 1 });
    const members = { groupId: GROUP, action: "add", participants: [ANA], by: null };
    expect((await post(hub.store.emit("group.participants", "s1", members))).action).toBe("ignored");
  });

  test("whose number became known are one person, also when two merges cross", async () => {
    const { hub, post, records } = await open();
    const lid = "98765@lid";
    await post(says(hub, { chatId: lid, messageId: "3A0A", from: lid }));
    await post(says(hub, { messageId: "3A0B" }));
    const merge = (from: string, into: string) =>
      hub.store.emit("contact.merged", "s1", { from, into, conversationId: null });
    const answers = await Promise.all([post(merge(lid, ANA)), post(merge(ANA, lid))]);
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(await records("WhatsApp Conversation")).toHaveLength(1);
    expect(await records("WhatsApp Message")).toHaveLength(2);
  });
});

describe("a record the CRM refuses", () => {
  test("is 422, among the failed items, and gone from them when it is taken", async () => {
    let refuses = true;
    const between = (crm: CrmAdapter): CrmAdapter => ({
      ...crm,
      upsertMessages: (batch) =>
        refuses
          ? Promise.resolve(batch.items.map(() => ({ outcome: "rejected" as const, error: "too long" })))
          : crm.upsertMessages(batch),
    });
    const { hub, post, failed, noticed } = await open({ crm: between });
    const event = says(hub);
    for (let tries = 0; tries < 2; tries += 1)
      expect(await post(event)).toMatchObject({ status: 422, body: { error: "too long" } });
    expect(failed.list("s1")).toMatchObject([
      { kind: "message", key: `${ANA}|3A01`, error: "too long", attempts: 2 },
    ]);
    expect(failed.list("s2")).toEqual([]);
    expect(noticed).toEqual([]);
    refuses = false;
    expect((await post(event)).action).toBe("created");
    expect(failed.list()).toEqual([]);
  });
});

test("writes of one chat never overlap, those of different chats do", async () => {
  const running = new Map<string, number>();
  let most = 0;
  const { apply } = await open({
    crm: (crm) => ({
      ...crm,
      upsertMessages: async (batch) => {
        const chat = batch.items[0]?.chatId ?? "";
        expect(running.get(chat) ?? 0).toBe(0);
        running.set(chat, 1);
        most = Math.max(
          most,
          [...running.values()].reduce((sum, one) => sum + one, 0),
        );
        await new Promise((resolve) => setImmediate(resolve));
        running.set(chat, 0);
        return crm.upsertMessages(batch);
      },
    }),
  });
  const chats = ["34600000001", "34600000002"].map((digits) => `${digits}@s.whatsapp.net`);
  const events = Array.from({ length: 20 }, (_, n) =>
    toldOf({ kind: "stored", message: aMessage({ chatId: chats[n % 2] ?? "" }) }, n + 1),
  );
  await Promise.all(events.map(apply));
  expect(most).toBe(2);
});
