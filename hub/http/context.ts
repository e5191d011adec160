/** What the HTTP surface is given. Every route gets this and nothing else of the hub. */
import type { HttpLogger } from "pino-http";
import type { Cipher } from "../core/cipher.ts";
import type { Clock } from "../core/clock.ts";
import type { Erasure } from "../core/erasure.ts";
import type { Nudge } from "../core/nudge.ts";
import type { Pressure } from "../core/pressure.ts";
import type { Store } from "../core/store.ts";
import type { Message } from "../core/message.ts";
import type { ChatOrders } from "../inbox/chat-orders.ts";
import type { Contacts } from "../inbox/contacts.ts";
import type { Dedupe } from "../inbox/dedupe.ts";
import type { History } from "../inbox/history.ts";
import type { Idempotency } from "../inbox/idempotency.ts";
import type { Media } from "../inbox/media.ts";
import type { Profiles } from "../inbox/profiles.ts";
import type { Sending } from "../inbox/send.ts";
import type { Endpoints } from "../outbox/endpoints.ts";
import type { Replays } from "../outbox/replays.ts";
import type { Metrics } from "./metrics.ts";
import type { Origins } from "./origins.ts";
import type { SignIn } from "./sign-in.ts";
import type { Sessions } from "../sessions/sessions.ts";

export interface HttpContext {
  sessions: Sessions;
  contacts: Contacts;
  profiles: Pick<Profiles, "wantAll">;
  chats: ChatOrders;
  history: History;
  sending: Sending;
  media: Media;
  endpoints: Endpoints;
  replays: Replays;
  idempotency: Idempotency;
  /** Merges repeated sends that carry no Idempotency-Key. */
  dedupe: Dedupe<Message>;
  erasure: Erasure;
  signIn: SignIn;
  origins: Origins;
  /** Seals what keys hold that must not be read on the disk. */
  cipher: Cipher;
  /** What routes read directly; nothing is written through it but keys, users, tokens of uploads, and who ordered what. */
  store: Pick<
    Store,
    | "sessions"
    | "inbox"
    | "media"
    | "events"
    | "outbox"
    | "trace"
    | "keys"
    | "users"
    | "audit"
    | "marks"
    | "canary"
    | "identity"
  >;
  metrics: Pick<Metrics, "scrape">;
  pressure: Pressure;
  clock: Clock;
  nudge: Nudge;
  /** The root logger of this surface; `Log` is not enough for the access log. */
  log: HttpLogger["logger"];
  /** Base of short media URLs, without a trailing slash. */
  publicUrl: string;
  /** Folder whose disk must have room; null when everything is in memory. */
  dataDir: string | null;
  version: string;
  /** Shown by `/health`: "production", "demo", "test" … */
  environment: string;
  /** Ends when the hub begins to stop: waiting requests answer, new ones are refused. */
  stopping: AbortSignal;
}
