import { describe, expect, test } from "vitest";
import type { BinaryNode } from "../../hub/whatsapp/baileys.ts";
import { factsOfContact } from "../../hub/whatsapp/translate/chats-and-contacts.ts";
import { factsOfGroupMetadata, factsOfGroupNotification } from "../../hub/whatsapp/translate/groups.ts";
import { factsOfAck, factsOfCall, factsOfReceipt } from "../../hub/whatsapp/translate/receipts.ts";

const ME = { phone: "34600999888@s.whatsapp.net", lid: "999888@lid" };
const ANA = "34600111222@s.whatsapp.net";
const GROUP = "120363000000000001@g.us";

const node = (tag: string, attrs: Record<string, string>, content?: BinaryNode[]): BinaryNode => ({
  tag,
  attrs,
  ...(content === undefined ? {} : { content }),
});

describe("receipts", () => {
  test.each([
    [{}, "delivered"],
    [{ type: "inactive" }, "delivered"],
    [{ type: "read" }, "read"],
  ])("%o raises our message to %s", (attrs, status) => {
    const receipt = node("receipt", { id: "3EB0", from: "34600111222:7@s.whatsapp.net", t: "10", ...attrs });
    expect(factsOfReceipt(receipt, ME)).toEqual([
      { kind: "status", chatId: ANA, ids: ["3EB0"], status, at: 10, participant: null },
    ]);
  });

  test("a voice note that was played is read, and a little more", () => {
    const receipt = node("receipt", { id: "3EB0", from: ANA, t: "10", type: "played" });
    expect(factsOfReceipt(receipt, ME)).toEqual([
      {
        kind: "status",
        chatId: ANA,
        ids: ["3EB0"],
        status: "read",
        at: 10,
        participant: null,
        isPlayed: true,
      },
    ]);
  });

  test("one receipt may name thousands of messages, and in a group its member", () => {
    const items = Array.from({ length: 5000 }, (_, n) => node("item", { id: `3EB${n}` }));
    const receipt = node(
      "receipt",
      { id: "3EB0", from: GROUP, participant: "111222:3@lid", t: "10", type: "read" },
      [node("list", {}, items)],
    );
    const [fact] = factsOfReceipt(receipt, ME);
    expect(fact).toMatchObject({ kind: "status", chatId: GROUP, participant: "111222@lid" });
    expect(fact?.kind === "status" && fact.ids.length).toBe(5001);
  });

  test("what our other devices read is read; their other receipts say nothing", () => {
    const own = { id: "3A", from: ME.phone, recipient: ANA };
    expect(factsOfReceipt(node("receipt", { ...own, type: "read" }), ME)).toEqual([
      { kind: "chat-read", jid: ANA },
    ]);
    expect(factsOfReceipt(node("receipt", { id: "3A", from: ANA, type: "read-self" }), ME)).toEqual([
      { kind: "chat-read", jid: ANA },
    ]);
    expect(factsOfReceipt(node("receipt", { ...own, type: "sender" }), ME)).toEqual([]);
    expect(factsOfReceipt(node("receipt", { id: "3A", from: ANA, type: "retry" }), ME)).toEqual([]);
  });
});

test("an acknowledgement is 'sent', a refusal 'failed' with its number and words", () => {
  expect(factsOfAck(node("ack", { class: "message", id: "3EB0", from: ANA, t: "10" }))).toEqual([
    { kind: "status", chatId: ANA, ids: ["3EB0"], status: "sent", at: 10, participant: null },
  ]);
  expect(
    factsOfAck(node("ack", { class: "message", id: "3EB0", from: ANA, t: "10", error: "463" })),
  ).toMatchObject([{ status: "failed", code: "463", error: expect.stringContaining("new chats") as string }]);
});

test("a call is told when it is offered, by the caller's number", () => {
  const offer = node("offer", { "call-id": "C1", "call-creator": "111222:1@lid", caller_pn: ANA }, [
    node("video", {}),
  ]);
  expect(factsOfCall(node("call", { from: "111222@lid", t: "10" }, [offer]))).toEqual([
    { kind: "call", callId: "C1", from: ANA, isVideo: true, isGroup: false, status: "offer", at: 10 },
  ]);
  const ended = node("terminate", { "call-id": "C1", "call-creator": ANA });
  expect(factsOfCall(node("call", { from: ANA, t: "10" }, [ended]))).toEqual([]);
});

describe("groups", () => {
  const notice = (child: BinaryNode): BinaryNode =>
    node(
      "notification",
      { type: "w:gp2", from: GROUP, participant: "111222@lid", participant_pn: ANA, id: "1" },
      [child],
    );

  test("a new subject", () => {
    expect(factsOfGroupNotification(notice(node("subject", { subject: "Vecinos" })), ME)).toEqual([
      { kind: "group", jid: GROUP, subject: "Vecinos", by: ANA, live: true },
    ]);
  });

  const body = (text: string): BinaryNode => ({ tag: "body", attrs: {}, content: Buffer.from(text) });

  test.each<[BinaryNode, object]>([
    [node("description", { id: "D" }, [body("Sólo avisos")]), { description: "Sólo avisos" }],
    [node("description", { id: "D", delete: "true" }), { description: null }],
    [node("announcement", {}), { announce: true }],
    [node("not_announcement", {}), { announce: false }],
    [node("locked", {}), { restrict: true }],
    [node("unlocked", {}), { restrict: false }],
    [node("ephemeral", { expiration: "604800" }), { ephemeralSeconds: 604_800 }],
    [node("not_ephemeral", {}), { ephemeralSeconds: 0 }],
  ])("a setting: %o", (child, change) => {
    expect(factsOfGroupNotification(notice(child), ME)).toEqual([
      { kind: "group", jid: GROUP, subject: null, change, by: ANA, live: true },
    ]);
  });

  test("a new group comes with all that is set for it", () => {
    const created = node(
      "group",
      { subject: "Vecinos", creation: "1700000000", creator: "111222@lid", creator_pn: ANA },
      [
        node("participant", { jid: ME.lid }),
        node("description", { id: "D" }, [body("Sólo avisos")]),
        node("announcement", {}),
      ],
    );
    const [fact] = factsOfGroupNotification(notice(node("create", {}, [created])), ME);
    expect(fact).toEqual({
      kind: "group",
      jid: GROUP,
      subject: "Vecinos",
      change: {
        owner: ANA,
        createdAt: 1_700_000_000,
        description: "Sólo avisos",
        announce: true,
        restrict: false,
        ephemeralSeconds: 0,
      },
      by: ANA,
      live: true,
    });
  });

  test("a group as the library describes it, whole or in part", () => {
    const whole = {
      id: GROUP,
      subject: "Vecinos",
      desc: "Hola",
      owner: "111222@lid",
      ownerPn: ANA,
      creation: 5,
    };
    const settings = { announce: false, restrict: true, ephemeralDuration: 60 };
    expect(factsOfGroupMetadata({ ...whole, ...settings }, false)).toEqual([
      {
        kind: "group",
        jid: GROUP,
        subject: "Vecinos",
        change: {
          description: "Hola",
          owner: ANA,
          createdAt: 5,
          announce: false,
          restrict: true,
          ephemeralSeconds: 60,
        },
        by: null,
        live: false,
      },
    ]);
    expect(factsOfGroupMetadata({ id: GROUP, restrict: true }, true)).toMatchObject([
      { subject: null, change: { restrict: true }, live: true },
    ]);
    expect(factsOfGroupMetadata({ id: GROUP }, true)).toEqual([]);
    expect(factsOfGroupMetadata({ id: ANA, subject: "no group" }, true)).toEqual([]);
  });

  test("members come and go, and teach their two addresses", () => {
    const member = node("participant", { jid: "333@lid", phone_number: "34600333444@s.whatsapp.net" });
    expect(factsOfGroupNotification(notice(node("add", {}, [member])), ME)).toEqual([
      { kind: "lid", lid: "333@lid", phone: "34600333444@s.whatsapp.net" },
      { kind: "participants", jid: GROUP, action: "add", participants: ["333@lid"], by: ANA },
    ]);
    expect(factsOfGroupNotification(notice(node("leave", {}, [member])), ME)).toContainEqual(
      expect.objectContaining({ kind: "participants", action: "remove" }),
    );
  });

  test("put out of a group, we can only read it", () => {
    const facts = factsOfGroupNotification(
      notice(node("remove", {}, [node("participant", { jid: ME.lid })])),
      ME,
    );
    expect(facts).toContainEqual({ kind: "chat", jid: GROUP, change: { isReadOnly: true }, live: true });
  });
});

test("of a picture only that it is new is told, or that there is none any more", () => {
  const facts = (id: string, imgUrl: string) =>
    factsOfContact({ id, imgUrl }, ME, { live: true, fromAddressBook: false });
  for (const jid of [ANA, GROUP]) {
    expect(facts(jid, "changed")).toEqual([{ kind: "profile", jid, lookedUpAt: null }]);
    expect(facts(jid, "removed")).toEqual([
      { kind: "contact", jid, change: { pictureToken: null }, live: true },
    ]);
  }
});
