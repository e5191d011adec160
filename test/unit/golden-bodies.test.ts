/** Bodies that receivers were written against, byte for byte, made as the hub makes them. */
import { expect, test } from "vitest";
import { eventBody } from "../../hub/contract/events.ts";
import { eventsOf } from "../../hub/core/events-of.ts";
import { withSession } from "../../hub/core/present.ts";
import { eventsOfMove } from "../../hub/core/session-events.ts";
import type { NewEvent } from "../../hub/core/store.ts";
import { aMedia, aMessage, aSession } from "../support/builders.ts";

const session = { id: 12, sessionId: "s1" };
const view = { jidForm: "c.us", ownNumber: "34600999888", publicUrl: "https://hub.example" } as const;
const person = "34600111222@s.whatsapp.net";
const sent = "3EB0A1B2C3D4E5F60718";

/** The one event, as the store would freeze it. */
function frozen([event, ...more]: NewEvent[], last: string, seq: number, timestamp: string): string {
  if (event === undefined || more.length > 0) throw new Error("not one event");
  return eventBody({
    id: `evt_01JZZZZZZZZZZZZZZZZZZZZZZ${last}`,
    seq,
    event: event.event,
    sessionId: session.sessionId,
    timestamp,
    data: withSession(session, event.data),
  });
}

test("message.received with an image", () => {
  const message = aMessage({
    id: "3A1F",
    type: "image",
    content: "Hola",
    pushName: null,
    timestamp: 1762518118,
    media: aMedia({ token: "AbCdEfGhIjKlMnOpQrStUv" }),
  });
  const events = eventsOf({ kind: "stored", message }, view, new Date());
  expect(frozen(events, "B", 4210, "2025-11-07T12:21:58.000Z")).toBe(
    '{"id":"evt_01JZZZZZZZZZZZZZZZZZZZZZZB","seq":4210,"event":"message.received","sessionId":"s1","timestamp":"2025-11-07T12:21:58.000Z","data":{"sessionId":"s1","session_db_id":12,"message":{"id":"3A1F","messageId":"3A1F","whatsappMessageId":"3A1F","content":"Hola","body":"Hola","chatId":"34600111222@c.us","from":"34600111222@c.us","to":"34600999888","fromMe":false,"isGroup":false,"timestamp":1762518118,"type":"image","has_attachment":true,"media":{"filename":"i.jpg","filesize":245678,"mimetype":"image/jpeg","url":"https://hub.example/m/AbCdEfGhIjKlMnOpQrStUv"}}}}',
  );
});

test("message.delivered", () => {
  const message = aMessage({ id: sent, fromMe: true });
  const at = 1762518123;
  const rise = { status: "delivered", at, participant: null, code: null, error: null } as const;
  const events = eventsOf({ kind: "status", message, ...rise }, view, new Date());
  expect(frozen(events, "A", 4211, "2025-11-07T12:22:03.120Z")).toBe(
    '{"id":"evt_01JZZZZZZZZZZZZZZZZZZZZZZA","seq":4211,"event":"message.delivered","sessionId":"s1","timestamp":"2025-11-07T12:22:03.120Z","data":{"sessionId":"s1","session_db_id":12,"messageId":"3EB0A1B2C3D4E5F60718","status":"delivered","chatId":"34600111222@c.us","ack":2,"deliveredAt":1762518123}}',
  );
});

test("session.connected", () => {
  const now = new Date(1762518125_000);
  const lost = aSession({ ...session, state: "reconnecting", lostAt: new Date(now.getTime() - 14_000) });
  const events = eventsOfMove({
    previous: lost,
    next: { ...lost, state: "connected", lostAt: null },
    toldConnected: false,
    quiet: false,
    now,
  });
  expect(frozen(events, "C", 4212, "2025-11-07T12:22:05.000Z")).toBe(
    '{"id":"evt_01JZZZZZZZZZZZZZZZZZZZZZZC","seq":4212,"event":"session.connected","sessionId":"s1","timestamp":"2025-11-07T12:22:05.000Z","data":{"sessionId":"s1","session_db_id":12,"status":"connected","isConnected":true,"phoneNumber":"34600999888","pushName":"Shop","timestamp":1762518125,"previousState":"reconnecting","downSeconds":14}}',
  );
});

test("message.reaction", () => {
  const target = { chatId: person, id: sent, fromMe: true, participant: null };
  const reaction = { from: person, fromMe: false, emoji: "👍", atMs: 1762518129000 };
  const events = eventsOf({ kind: "reacted", target, ...reaction }, view, new Date());
  expect(frozen(events, "D", 4213, "2025-11-07T12:22:09.000Z")).toBe(
    '{"id":"evt_01JZZZZZZZZZZZZZZZZZZZZZZD","seq":4213,"event":"message.reaction","sessionId":"s1","timestamp":"2025-11-07T12:22:09.000Z","data":{"sessionId":"s1","session_db_id":12,"messageId":"3EB0A1B2C3D4E5F60718","emoji":"👍","from":"34600111222@c.us","removed":false,"message":{"chatId":"34600111222@c.us","reactionMessage":{"key":{"id":"3EB0A1B2C3D4E5F60718","fromMe":false,"remoteJid":"34600111222@c.us"},"text":"👍","senderTimestampMs":1762518129000}},"target":{"fromMe":true}}}',
  );
});
