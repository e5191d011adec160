/** Builders of the things tests are about: sensible defaults, so that a test states only what matters to it. */
import type { ApiKey } from "../../hub/core/api-key.ts";
import { defaultKeySettings } from "../../hub/core/api-key.ts";
import { closedBreaker, type Endpoint } from "../../hub/core/endpoint.ts";
import type { Fact } from "../../hub/core/facts.ts";
import type { Message, MessageMedia } from "../../hub/core/message.ts";
import { defaultSettings, type Session } from "../../hub/core/session.ts";
import type { IntakeEntry, MediaItem, NewEvent } from "../../hub/core/store.ts";
import type { User } from "../../hub/core/user.ts";

/** The moment at which tests happen. */
export const T0 = new Date("2026-01-31T10:00:00.000Z");
export const T0_SECONDS = T0.getTime() / 1000;

let counter = 0;
/** A number nobody had before in this process: for ids that must differ. */
export const unique = (): number => ++counter;

/** A session before the store gave it its integer. */
export const aNewSession = (change: Partial<Omit<Session, "id">> = {}): Omit<Session, "id"> => ({
  sessionId: "s1",
  sessionName: "Front desk",
  state: "connected",
  reason: null,
  phoneNumber: "34600999888",
  lid: "999888@lid",
  pushName: "Shop",
  connectedAt: T0,
  lostAt: null,
  lastActivity: T0,
  createdAt: T0,
  deletedAt: null,
  sendToFrappe: true,
  settings: defaultSettings("c.us"),
  ...change,
});

export const aSession = ({ id = 1, ...change }: Partial<Session> = {}): Session => ({
  id,
  ...aNewSession(change),
});

export const aMessage = (change: Partial<Message> = {}): Message => ({
  sessionId: "s1",
  chatId: "34600111222@s.whatsapp.net",
  id: `3A${unique().toString(16).toUpperCase().padStart(10, "0")}`,
  fromMe: false,
  participant: null,
  pushName: "Ana",
  timestamp: T0_SECONDS,
  type: "text",
  content: "hola",
  caption: null,
  media: null,
  location: null,
  contacts: null,
  poll: null,
  quotedMessageId: null,
  mentions: [],
  isForwarded: false,
  isStarred: false,
  status: change.fromMe === true ? "pending" : "delivered",
  isPlayed: false,
  editedAt: null,
  deletedAt: null,
  reactions: [],
  client: null,
  raw: null,
  unknownKind: null,
  ...change,
});

/** A message on its way into the store, as WhatsApp's live traffic brings it. */
export const aMessageFact = (
  change: Partial<Message> = {},
  { live = true } = {},
): Fact & { kind: "message" } => ({
  kind: "message",
  message: aMessage(change),
  live,
});

export const aMedia = (change: Partial<MessageMedia> = {}): MessageMedia => ({
  mediaId: `med_${String(unique()).padStart(26, "0")}`,
  token: `token${String(unique()).padStart(17, "0")}`,
  filename: "i.jpg",
  filesize: 245_678,
  mimetype: "image/jpeg",
  sha256: null,
  mediaKey: null,
  directPath: null,
  ptt: false,
  ...change,
});

export const aMediaItem = (change: Partial<MediaItem> = {}): MediaItem => ({
  mediaId: `med_${String(unique()).padStart(26, "0")}`,
  sessionId: "s1",
  state: "stored",
  filename: "i.jpg",
  filesize: 245_678,
  mimetype: "image/jpeg",
  sha256: null,
  createdAt: T0,
  ...change,
});

export const anEndpoint = (change: Partial<Endpoint> = {}): Endpoint => ({
  id: `ep_${String(unique()).padStart(26, "0")}`,
  url: "http://127.0.0.1:9/hook",
  description: "",
  sessions: "*",
  events: ["*"],
  ordering: "chat",
  ack: "body",
  presets: [],
  headers: {},
  timeoutMs: 15_000,
  concurrency: 4,
  enabled: true,
  managedBy: null,
  client: null,
  includeQr: false,
  signatureHeaderName: null,
  ca: null,
  state: "active",
  isGone: false,
  secret: new TextEncoder().encode("sealed secret of 16+"),
  previousSecret: null,
  breaker: closedBreaker,
  failingSince: null,
  lastSuccessAt: null,
  lastError: null,
  createdAt: T0,
  ...change,
});

export const anApiKey = (change: Partial<ApiKey> = {}): ApiKey => ({
  id: `key_${String(unique()).padStart(26, "0")}`,
  name: "tests",
  hash: unique().toString(16).padStart(64, "0"),
  previous: null,
  operatorHash: null,
  scopes: ["read", "send", "media", "webhooks", "admin"],
  sessions: "*",
  allowedCidrs: [],
  client: "tests",
  settings: defaultKeySettings,
  expiresAt: null,
  createdAt: T0,
  ...change,
});

export const aUser = (change: Partial<User> = {}): User => ({
  id: `usr_${String(unique()).padStart(26, "0")}`,
  identifier: `user${unique()}`,
  password: { hash: "aGFzaA==", salt: "c2FsdA==", cost: 1024, blockSize: 8, parallelization: 1 },
  scopes: ["read", "send"],
  sessions: ["s1"],
  createdAt: T0,
  disabledAt: null,
  ...change,
});

export const aNewEvent = (change: Partial<NewEvent> = {}): NewEvent => ({
  event: "session.connected",
  chatId: null,
  data: { status: "connected", isConnected: true },
  exceptClient: null,
  notBefore: null,
  ...change,
});

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

export const anIntakeEntry = (change: Partial<IntakeEntry> = {}): IntakeEntry => {
  const n = unique();
  return {
    order: n,
    digest: bytes(`digest ${n}`),
    stanzaId: `3A${n}`,
    chat: "34600111222@s.whatsapp.net",
    participant: "",
    seenAt: T0,
    stanza: bytes(`stanza ${n}`),
    plaintexts: [{ encId: bytes(`enc ${n}`), sealed: bytes(`plain ${n}`) }],
    ...change,
  };
};
