/** What CRMs are told of each change, byte for byte where the contract gives the bytes. */
import { describe, expect, test } from "vitest";
import { eventBody, type EventName } from "../../hub/contract/events.ts";
import { eventsOf, type Change } from "../../hub/core/events-of.ts";
import { viewOf, withSession, type View } from "../../hub/core/present.ts";
import type { NewEvent } from "../../hub/core/store.ts";
import { aMedia, aMessage, aSession, T0 } from "../support/builders.ts";

const session = aSession({ id: 12 });
const view: View = viewOf(session, "https://hub.example");
const ANA = "34600111222@s.whatsapp.net";
const GROUP = "120363000000000001@g.us";
const inGroup = { chatId: GROUP, id: "3EB0A1B2C3D4E5F60718", fromMe: false, participant: ANA };
const target = { chatId: ANA, id: "3EB0A1B2C3D4E5F60718", fromMe: true, participant: null };

const tell = (change: Change, as: View = view): NewEvent[] => eventsOf(change, as, T0);
function one(change: Change): NewEvent {
  const [event, ...more] = tell(change);
  if (event === undefined || more.length > 0) throw new Error("expected one event");
  return event;
}
const body = (id: string, seq: number, timestamp: string, { event, data }: NewEvent): string =>
  eventBody({ id, seq, event, sessionId: "s1", timestamp, data: withSession(session, data) });

describe("the golden bodies", () => {
  test("message.received", () => {
    const message = aMessage({
      id: "3A1F",
      content: "Hola",
      timestamp: 1762518118,
      type: "image",
      pushName: null,
      media: aMedia({ token: "AbCdEfGhIjKlMnOpQrStUv" }),
    });
    const event = one({ kind: "stored", message });
    expect(body("evt_01JZZZZZZZZZZZZZZZZZZZZZZB", 4210, "2025-11-07T12:21:58.000Z", event)).toBe(
      '{"id":"evt_01JZZZZZZZZZZZZZZZZZZZZZZB","seq":4210,"event":"message.received","sessionId":"s1","timestamp":"2025-11-07T12:21:58.000Z","data":{"sessionId":"s1","session_db_id":12,"message":{"id":"3A1F","messageId":"3A1F","whatsappMessageId":"3A1F","content":"Hola","body":"Hola","chatId":"34600111222@c.us","from":"34600111222@c.us","to":"34600999888","fromMe":false,"isGroup":false,"timestamp":1762518118,"type":"image","has_attachment":true,"media":{"filename":"i.jpg","filesize":245678,"mimetype":"image/jpeg","url":"https://hub.example/m/AbCdEfGhIjKlMnOpQrStUv"}}}}',
    );
  });

  test("message.delivered", () => {
    const event = one({
      kind: "status",
      message: { ...target, isPlayed: false, client: null },
      status: "delivered",
      at: 1762518123,
      participant: null,
      code: null,
      error: null,
    });
    expect(body("evt_01JZZZZZZZZZZZZZZZZZZZZZZA", 4211, "2025-11-07T12:22:03.120Z", event)).toBe(
      '{"id":"evt_01JZZZZZZZZZZZZZZZZZZZZZZA","seq":4211,"event":"message.delivered","sessionId":"s1","timestamp":"2025-11-07T12:22:03.120Z","data":{"sessionId":"s1","session_db_id":12,"messageId":"3EB0A1B2C3D4E5F60718","status":"delivered","chatId":"34600111222@c.us","ack":2,"deliveredAt":1762518123}}',
    );
  });

  test("message.reaction", () => {
    const event = one({
      kind: "reacted",
      target,
      from: ANA,
      fromMe: false,
      emoji: "👍",
      atMs: 1762518129000,
    });
    expect(body("evt_01JZZZZZZZZZZZZZZZZZZZZZZD", 4213, "2025-11-07T12:22:09.000Z", event)).toBe(
      '{"id":"evt_01JZZZZZZZZZZZZZZZZZZZZZZD","seq":4213,"event":"message.reaction","sessionId":"s1","timestamp":"2025-11-07T12:22:09.000Z","data":{"sessionId":"s1","session_db_id":12,"messageId":"3EB0A1B2C3D4E5F60718","emoji":"👍","from":"34600111222@c.us","removed":false,"message":{"chatId":"34600111222@c.us","reactionMessage":{"key":{"id":"3EB0A1B2C3D4E5F60718","fromMe":false,"remoteJid":"34600111222@c.us"},"text":"👍","senderTimestampMs":1762518129000}},"target":{"fromMe":true}}}',
    );
  });
});

describe("a message", () => {
  test("sent by an API client is not told to that client as received", () => {
    const event = one({ kind: "stored", message: aMessage({ fromMe: true, client: "crm" }) });
    expect(event).toMatchObject({
      event: "message.received",
      exceptClient: "crm",
      chatId: ANA,
      notBefore: null,
    });
    expect(one({ kind: "stored", message: aMessage() }).exceptClient).toBeNull();
  });

  test("accepted by WhatsApp is told to everybody, when its sender has had the answer", () => {
    const change: Change = {
      kind: "status",
      message: { ...target, isPlayed: false, client: "crm" },
      status: "sent",
      at: 1762518119,
      participant: null,
      code: null,
      error: null,
    };
    expect(one(change)).toEqual({
      event: "message.sent",
      chatId: ANA,
      exceptClient: null,
      notBefore: new Date(T0.getTime() + 1500),
      data: {
        messageId: target.id,
        status: "sent",
        chatId: "34600111222@c.us",
        message: { messageId: target.id, id: target.id },
        ack: 1,
        timestamp: 1762518119,
      },
    });
    expect(tell({ ...change, message: { ...target, isPlayed: false, client: null } })).toEqual([]);
    expect(tell({ ...change, status: "pending" })).toEqual([]);
    expect(tell({ ...change, status: "deleted" })).toEqual([]);
  });

  test("that failed says why, in words even when WhatsApp gave none", () => {
    const failed: Change = {
      kind: "status",
      message: { ...target, isPlayed: false, client: "crm" },
      status: "failed",
      at: 1,
      participant: null,
      code: "463",
      error: "restricted",
    };
    expect(one(failed).data).toMatchObject({ status: "failed", ack: -1, code: "463", error: "restricted" });
    expect(one({ ...failed, code: null, error: null }).data).toMatchObject({
      code: "failed",
      error: "WhatsApp did not take the message.",
    });
  });

  test("is shown in the session's own form of addresses, everywhere", () => {
    const plain: View = { ...view, jidForm: "s.whatsapp.net" };
    const shown = JSON.stringify([
      tell({ kind: "stored", message: aMessage() }, plain),
      tell({ kind: "edited", message: aMessage(), at: 1 }, plain),
      tell({ kind: "deleted", target: inGroup, by: ANA, at: 1, forEveryone: true }, plain),
      tell({ kind: "reacted", target, from: ANA, fromMe: true, emoji: "", atMs: 1 }, plain),
      tell({ kind: "participants", jid: GROUP, action: "add", participants: [ANA], by: ANA }, plain),
      tell({ kind: "group", jid: GROUP, subject: "Team", details: {}, by: ANA }, plain),
      tell({ kind: "merged", lid: "1@lid", phone: ANA, conversationId: 7 }, plain),
      tell(
        { kind: "call", callId: "c", from: ANA, isVideo: false, isGroup: false, status: "offer", at: 1 },
        plain,
      ),
    ]);
    expect(shown).not.toContain("@c.us");
    expect(shown).toContain("34600111222@s.whatsapp.net");
  });

  test("an own reaction names us as the one who reacted", () => {
    const { data } = one({ kind: "reacted", target, from: ANA, fromMe: true, emoji: "", atMs: 1 });
    expect(data).toMatchObject({
      from: "34600999888",
      removed: true,
      message: { reactionMessage: { key: { fromMe: true, remoteJid: "34600999888@c.us" }, text: "" } },
    });
  });
});

describe("lanes", () => {
  test("what concerns a chat is in the chat's lane, the rest in the session's", () => {
    const lanes = new Map<EventName, string | null>();
    for (const change of [
      { kind: "stored", message: aMessage() },
      { kind: "reacted", target, from: ANA, fromMe: false, emoji: "", atMs: 1 },
      { kind: "group", jid: GROUP, subject: null, details: {}, by: null },
      { kind: "history", oldest: null, newest: null, chats: 0, messages: 0, complete: true },
      { kind: "merged", lid: "1@lid", phone: ANA, conversationId: null },
    ] satisfies Change[])
      for (const { event, chatId } of tell(change)) lanes.set(event, chatId);
    expect([...lanes]).toEqual([
      ["message.received", ANA],
      ["message.reaction", ANA],
      ["group.updated", GROUP],
      ["history.synced", null],
      ["contact.merged", null],
    ]);
  });
});
