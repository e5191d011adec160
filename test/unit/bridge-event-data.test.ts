/** Everything the hub tells has the shape the contract promises: no member missing, none beyond. */
import { describe, expect, test } from "vitest";
import { endpointAlert, hubAlert } from "../../hub/alerts/alert.ts";
import { alertEvent } from "../../hub/alerts/telling.ts";
import { EVENT_DATA, messageOfEvent, parseEventData, type EventName } from "../../hub/contract/index.ts";
import { sessionCleanup } from "../../hub/core/cleanup.ts";
import { botNews } from "../../hub/core/bot-event.ts";
import { eventsOf, type Change } from "../../hub/core/events-of.ts";
import {
  presentMessage,
  presentMessageEvent,
  viewOf,
  withSession,
  type View,
} from "../../hub/core/present.ts";
import { sessionRestricted } from "../../hub/core/restriction-event.ts";
import { eventsOfMove, sessionQr } from "../../hub/core/session-events.ts";
import type { Session } from "../../hub/core/session.ts";
import type { SessionState } from "../../hub/core/session-state.ts";
import type { NewEvent } from "../../hub/core/store.ts";
import { parkedEvent } from "../../hub/outbox/parked.ts";
import { aMedia, aMessage, aSession, T0, T0_SECONDS } from "../support/builders.ts";

const session = aSession({ id: 12 });
const view: View = viewOf(session, "https://hub.example");
const ANA = "34600111222@s.whatsapp.net";
const GROUP = "120363000000000001@g.us";
const target = { chatId: ANA, id: "3EB0", fromMe: false, participant: null };
const inGroup = { chatId: GROUP, id: "3EB0", fromMe: false, participant: ANA };

/** A message with every member the contract knows. */
const fullMessage = aMessage({
  chatId: GROUP,
  participant: ANA,
  type: "image",
  caption: "look",
  media: aMedia({ sha256: "c2hh", mediaKey: "a2V5", ptt: true }),
  location: { latitude: 1.5, longitude: -2, name: "here", address: null },
  contacts: [{ name: "Bo", vcard: "BEGIN:VCARD" }],
  poll: { name: "?", values: ["a", "b"], selectableCount: 1 },
  quotedMessageId: "3A00",
  isForwarded: true,
  unknownKind: "fooMessage",
});

const chat = {
  sessionId: "s1",
  chatId: ANA,
  lid: "1@lid",
  conversationId: 77,
  name: "Ana",
  unreadCount: 2,
  messageCount: 5,
  removedMessages: 0,
  archived: true,
  pinned: false,
  muteExpiration: -1,
  isReadOnly: false,
  firstMessageTime: 1,
  lastMessageAt: T0_SECONDS,
  lastMessage: {
    messageId: "3A",
    content: "hola",
    timestamp: T0_SECONDS,
    fromMe: false,
    type: "text" as const,
  },
  updatedAt: T0.getTime(),
};
const contact = {
  sessionId: "s1",
  jid: ANA,
  lid: "1@lid",
  name: "Ana",
  pushName: "Ana",
  verifiedName: null,
  about: "hi",
  pictureToken: "AbCdEfGhIjKlMnOpQrStUv",
  isMyContact: true,
  isBlocked: false,
  isBusiness: false,
  lookedUpAt: null,
  askedAt: null,
  updatedAt: T0.getTime(),
};

const changes: Change[] = [
  { kind: "stored", message: aMessage() },
  { kind: "stored", message: fullMessage },
  { kind: "stored", message: aMessage({ fromMe: true, status: "sent" }) },
  { kind: "edited", message: aMessage({ fromMe: true }), at: T0_SECONDS },
  { kind: "healed", message: aMessage() },
  { kind: "deleted", target, by: ANA, at: T0_SECONDS, forEveryone: true },
  { kind: "deleted", target: inGroup, by: ANA, at: T0_SECONDS, forEveryone: true },
  { kind: "reacted", target, from: ANA, fromMe: true, emoji: "👍", atMs: T0.getTime() },
  ...(["sent", "delivered", "read", "failed"] as const).map((status): Change => ({
    kind: "status",
    message: { ...target, isPlayed: false, client: "crm" },
    status,
    at: T0_SECONDS,
    participant: ANA,
    code: null,
    error: null,
  })),
  { kind: "chat", chat, archived: true, others: true },
  {
    kind: "chat",
    chat: { ...chat, lid: null, archived: false, lastMessage: null },
    archived: true,
    others: false,
  },
  { kind: "contact", contact },
  { kind: "contact", contact: { ...contact, jid: GROUP, lid: null, pictureToken: null } },
  { kind: "merged", lid: "1@lid", phone: ANA, conversationId: null },
  { kind: "group", jid: GROUP, subject: "Team", details: {}, by: null },
  {
    kind: "group",
    jid: GROUP,
    subject: "Team",
    details: {
      description: "d",
      owner: ANA,
      createdAt: 5,
      announce: true,
      restrict: false,
      ephemeralSeconds: 60,
    },
    by: ANA,
  },
  { kind: "participants", jid: GROUP, action: "promote", participants: [ANA], by: ANA },
  { kind: "call", callId: "c", from: ANA, isVideo: false, isGroup: false, status: "offer", at: T0_SECONDS },
  { kind: "history", oldest: null, newest: T0_SECONDS, chats: 1, messages: 2, complete: true },
];

const move = (from: SessionState, to: SessionState, change: Partial<Session> = {}): NewEvent[] => {
  const previous = aSession({ state: from, lostAt: from === "reconnecting" ? T0 : null });
  const next = { ...previous, state: to, lostAt: to === "reconnecting" ? T0 : null, ...change };
  return eventsOfMove({ previous, next, toldConnected: from === "connected", quiet: false, now: T0 });
};
const reason = { code: "401", text: "gone", blame: "user", advice: "scan", at: T0 } as const;

const told: NewEvent[] = [
  ...changes.flatMap((change) => eventsOf(change, view, T0)),
  ...move("reconnecting", "connected"),
  ...move("connected", "reconnecting"),
  ...move("connected", "logged_out", { reason, phoneNumber: null }),
  ...move("stopped", "starting", { phoneNumber: null, pushName: null, connectedAt: null }),
  ...move("starting", "qr"),
  sessionQr({ qrCode: "aGk=", expiresAt: T0 }),
  alertEvent({ alert: hubAlert("disk_low"), phase: "began", since: T0, at: T0 }),
  alertEvent({ alert: hubAlert("disk_low"), phase: "ended", since: T0, at: T0 }),
  alertEvent({ alert: endpointAlert("ep_1", "endpoint_failing"), phase: "lasts", since: T0, at: T0 }),
  sessionCleanup({
    sessionId: "s1",
    mode: "quarantine",
    quarantineId: "qr_1",
    undoUntil: T0,
    steps: [
      { name: "socket", ok: true, ms: 1 },
      { name: "credentials", ok: false, ms: 2, error: "no" },
    ],
  }),
  sessionRestricted(session, { until: T0, isUntilKnown: true, type: "DEFAULT" }, T0),
  sessionRestricted(session, { until: T0, isUntilKnown: false, type: null }, T0),
  sessionRestricted(session, null, T0),
  botNews({ enabled: false, reason: null }, { enabled: true, reason: "night" }, { by: "crm", now: T0 }),
].flat();

describe.each(told.map((event): [EventName, NewEvent] => [event.event, event]))("%s", (name, { data }) => {
  test("is as promised", () => {
    const whole: unknown = JSON.parse(JSON.stringify(withSession(session, data)));
    expect(EVENT_DATA[name].strict().safeParse(whole).error?.issues ?? []).toEqual([]);
    expect(parseEventData(name, whole)).toEqual(whole);
  });
});

test("every event is told above, but for the two the hub makes elsewhere", () => {
  const names = new Set(told.map(({ event }) => event));
  expect(Object.keys(EVENT_DATA).filter((name) => !names.has(name as EventName))).toEqual([
    "delivery.dead",
    "endpoint.test",
  ]);
  const parked = parkedEvent(
    {
      n: 1,
      laneId: 1,
      endpointId: "ep_1",
      eventId: "evt_1",
      event: "message.received",
      sessionId: "s1",
      seq: 1,
      attempts: 6,
      replay: false,
      body: '{"data":{"chatId":"34600111222@c.us"}}',
    } as unknown as Parameters<typeof parkedEvent>[0], // more of a delivery than this is not looked at
    "HTTP 422",
  );
  expect(
    EVENT_DATA["delivery.dead"].strict().safeParse(withSession(session, parked?.data ?? {})).success,
  ).toBe(true);
});

test("data of another shape is no data", () => {
  expect(parseEventData("message.read", { sessionId: "s1", session_db_id: 1, messageId: 7 })).toBeNull();
  expect(parseEventData("session.qr", null)).toBeNull();
});

describe("a message made of its event", () => {
  const made = (message = fullMessage) => {
    const event: unknown = JSON.parse(JSON.stringify(presentMessageEvent(message, view)));
    const data = parseEventData("message.received", withSession(session, { message: event }));
    if (data === null) throw new Error("not parsed");
    return messageOfEvent("s1", data.message);
  };

  test("is what the list shows, but for what events do not tell", () => {
    const listed = presentMessage(fullMessage, 77, view);
    expect(made()).toEqual({
      ...listed,
      conversationId: 0,
      media: { ...listed.media, mediaId: "" },
    });
    const own = aMessage({ fromMe: true, status: "sent" });
    expect(made(own)).toEqual({ ...presentMessage(own, 77, view), conversationId: 0 });
  });

  test("of which no status is told begins at the lowest when it is our own", () => {
    const event = {
      ...presentMessageEvent(aMessage({ fromMe: true, status: "sent" }), view),
      status: undefined,
    };
    const data = parseEventData("message.received", withSession(session, { message: event }));
    if (data === null) throw new Error("not parsed");
    expect(messageOfEvent("s1", data.message)).toMatchObject({ status: "pending", ack: 0 });
  });
});
