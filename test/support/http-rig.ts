/** The REST surface on a real port: real store, real services, and a WhatsApp that tests play. */
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { pino } from "pino";
import { expect, onTestFinished } from "vitest";
import type { z } from "zod";
import type { ApiKey } from "../../hub/core/api-key.ts";
import type { Cipher } from "../../hub/core/cipher.ts";
import type { Fact } from "../../hub/core/facts.ts";
import { noPressure } from "../../hub/core/pressure.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import type { Session } from "../../hub/core/session.ts";
import type { Store } from "../../hub/core/store.ts";
import { createAddressGuard } from "../../hub/core/webhook-address.ts";
import { createKey } from "../../hub/http/api-keys.ts";
import { createApp } from "../../hub/http/app.ts";
import type { HttpContext } from "../../hub/http/context.ts";
import { storedFailure } from "../../hub/http/errors.ts";
import { createMetrics } from "../../hub/http/metrics.ts";
import { createOrigins } from "../../hub/http/origins.ts";
import { listen, type Listening } from "../../hub/http/server.ts";
import { createSignIn } from "../../hub/http/sign-in.ts";
import { createChatOrders } from "../../hub/inbox/chat-orders.ts";
import { createContacts } from "../../hub/inbox/contacts.ts";
import { createDedupe } from "../../hub/inbox/dedupe.ts";
import { createHistory } from "../../hub/inbox/history.ts";
import { createIdempotency } from "../../hub/inbox/idempotency.ts";
import { createIngest } from "../../hub/inbox/ingest.ts";
import { createMedia } from "../../hub/inbox/media.ts";
import { startProfiles } from "../../hub/inbox/profiles.ts";
import type { SendLimits } from "../../hub/inbox/send-limits.ts";
import { createSending } from "../../hub/inbox/send.ts";
import { createEndpoints } from "../../hub/outbox/endpoints.ts";
import { createReplays } from "../../hub/outbox/replays.ts";

import { createLogins } from "../../hub/sessions/logins.ts";
import { cipherOf, KEY_BYTES } from "../../hub/sessions/sealing.ts";
import { createSessions } from "../../hub/sessions/sessions.ts";
import { createErasure } from "../../hub/store/erasure.ts";
import { createSchemaCopies } from "../../hub/store/schema-copies.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { reasonOf } from "../../hub/whatsapp/disconnect.ts";
import { createPuppetLink, type PuppetLink } from "./puppet-link.ts";
import { createPuppetWhatsApp, type PuppetWhatsApp } from "./puppet-whatsapp.ts";
import { fixedClock, type FixedClock } from "./fixed-clock.ts";
import { until } from "./until.ts";

/** An answer with everything a test may look at. */
export interface Answered {
  status: number;
  headers: Headers;
  text: string;
  /** The JSON body; an empty object when there is none. */
  json: Record<string, unknown>;
  /** `data` of the envelope. */
  data: Record<string, unknown>;
}

export interface CallOptions {
  key?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface HttpRig {
  url: string;
  server: Listening;
  store: Store;
  clock: FixedClock;
  ctx: HttpContext;
  whatsapp: PuppetWhatsApp;
  link: PuppetLink;
  dir: string;
  /** A key with everything. */
  key: string;
  /** Lines of the log so far. */
  logged(): string;
  makeKey(
    about: Partial<
      Pick<ApiKey, "scopes" | "sessions" | "allowedCidrs" | "client" | "settings" | "expiresAt">
    >,
  ): Promise<string>;
  call(method: string, path: string, options?: CallOptions): Promise<Answered>;
  get(path: string, options?: CallOptions): Promise<Answered>;
  post(path: string, body?: unknown, options?: CallOptions): Promise<Answered>;
  put(path: string, body?: unknown, options?: CallOptions): Promise<Answered>;
  /** Records what WhatsApp tells of a session. */
  tell(sessionId: string, ...facts: Fact[]): Promise<void>;
  /** A session of this name; connected unless told otherwise. */
  session(sessionId?: string, options?: { connected?: boolean; phoneNumber?: string }): Promise<Session>;
}

/** Seals nothing: what is tested here is not the vault. */
const openCipher: Cipher = { seal: (_place, plain) => plain, open: (_place, sealed) => sealed };

/** A password costs next to nothing here. */
const CHEAP = { cost: 1024, blockSize: 8, parallelization: 1 };

/** Of kept answers and what keys hold; the same in each life of a hub. */
export const answerCipher: Cipher = cipherOf(new Uint8Array(KEY_BYTES).fill(7));

export interface RigOptions {
  ackWaitMs?: number;
  /** Database to open; two rigs on one file are two lives of one hub. */
  file?: string;
  limits?: SendLimits;
  /** Swaps a part before the surface is built on it. */
  change?: (ctx: HttpContext, store: Store) => HttpContext;
}

export async function openHttpRig({
  ackWaitMs = 2_000,
  file = ":memory:",
  limits,
  change,
}: RigOptions = {}): Promise<HttpRig> {
  const dir = await mkdtemp(join(tmpdir(), "hub-http-"));
  const clock = fixedClock();
  const nudge = createNudge();
  const publicUrl = "http://hub.example";
  const store = await openSqliteStore({ file, publicUrl, clock });
  const lines: string[] = [];
  const log = pino(
    { level: "trace" },
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(chunk.toString());
        done();
      },
    }),
  );
  const whatsapp = createPuppetWhatsApp();
  const sessions = createSessions({
    store: store.sessions,
    connector: whatsapp.connector,
    logins: createLogins({
      auth: store.auth,
      keys: store.vault,
      vault: { cipher: () => Promise.resolve(openCipher), renew: () => Promise.resolve() },
      dir: join(dir, "vault"),
      clock,
    }),
    reasonOf,
    canary: () => store.canary(),
    clock,
    isClockTrusted: () => true,
    nudge,
    log,
    jidForm: "c.us",
    onOpened: () => undefined,
  });
  const ingest = createIngest({ inbox: store.inbox, clock, nudge });
  const link = createPuppetLink((sessionId, facts) => ingest({ sessionId, facts, closes: [] }));
  const linkOf = (sessionId: string) => link.link(sessionId);
  const guard = createAddressGuard({ allowCidrs: ["127.0.0.0/8"], allowedUrls: [] });
  const media = createMedia({ media: store.media, link: linkOf, dir, guard, clock, log });
  const contacts = createContacts({
    inbox: store.inbox,
    lookUps: store.lookUps,
    media,
    tokens: store.media,
    link: linkOf,
    ingest,
    clock,
  });
  const sending = createSending({
    ...store,
    media,
    contacts,
    link: linkOf,
    ingest,
    clock,
    nudge,
    log,
    ackWaitMs,
    ...(limits === undefined ? {} : { limits }),
  });
  const profiles = startProfiles({
    ...{
      inbox: store.inbox,
      lookUps: store.lookUps,
      contacts,
      ingest,
      sessions,
      sending,
      isOn: true,
      clock,
      log,
    },
  });
  const endpoints = createEndpoints({
    store: store.endpoints,
    cipher: openCipher,
    guard,
    clock,
    log,
    userAgent: "InboxHub/test",
  });
  const replays = createReplays({ outbox: store.outbox, clock, nudge, log });
  const idempotency = createIdempotency({
    sends: store.sends,
    cipher: answerCipher,
    clock,
    failure: (error) => storedFailure(error, clock.now()),
  });
  const stopping = new AbortController();
  const plain: HttpContext = {
    sessions,
    contacts,
    profiles,
    chats: createChatOrders({ inbox: store.inbox, link: linkOf, ingest }),
    history: createHistory({ inbox: store.inbox, link: linkOf, clock }),
    sending,
    media,
    endpoints,
    replays,
    idempotency,
    signIn: await createSignIn({ store, cipher: answerCipher, clock, log, cost: CHEAP }),
    origins: createOrigins([]),
    erasure: createErasure({
      ...{ ...store, removeFile: (mediaId) => media.removeFile(mediaId), log },
      schemaCopies: createSchemaCopies({ dataDir: file === ":memory:" ? dir : dirname(file), log }),
    }),
    cipher: answerCipher,
    dedupe: createDedupe({
      sends: store.sends,
      inbox: store.inbox,
      reserveId: (sessionId) => sending.reserveId(sessionId),
      clock,
    }),
    store,
    metrics: createMetrics({
      ...{ sessions: () => sessions.list(), sending: () => sending, store, pressure: noPressure, clock },
    }),
    pressure: noPressure,
    ...{ clock, nudge, log, publicUrl },
    dataDir: dir,
    version: "0.0.0-test",
    environment: "test",
    stopping: stopping.signal,
  };
  const ctx = change?.(plain, store) ?? plain;
  const server = await listen({ app: createApp(ctx), host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    stopping.abort();
    await server.stop();
    await Promise.all([sending.stop(), profiles.stop()]);
    await link.idle();
    await sessions.stop();
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });

  const makeKey: HttpRig["makeKey"] = async (about) => {
    const { key } = await createKey(
      { name: "tests", scopes: ["read", "send", "media", "webhooks", "admin"], sessions: "*", ...about },
      { keys: store.keys, clock },
    );
    return key;
  };
  const key = await makeKey({ client: "tests" });

  const call: HttpRig["call"] = async (method, path, { key: own, body, headers = {} } = {}) => {
    const used = own === undefined ? key : own;
    const response = await fetch(server.url + path, {
      method,
      headers: {
        ...(used === null ? {} : { "X-API-Key": used }),
        "Content-Type": "application/json",
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    const json = recordOf(isJson ? JSON.parse(text) : {});
    return {
      status: response.status,
      headers: response.headers,
      text,
      json,
      data: recordOf(json["data"] ?? {}),
    };
  };

  return {
    url: server.url,
    server,
    store,
    clock,
    ctx,
    whatsapp,
    link,
    dir,
    key,
    logged: () => lines.join(""),
    makeKey,
    call,
    get: (path, options) => call("GET", path, options),
    post: (path, body, options) => call("POST", path, { body, ...options }),
    put: (path, body, options) => call("PUT", path, { body, ...options }),
    tell: async (sessionId, ...facts) => {
      await ingest({ sessionId, facts, closes: [] });
    },
    session: async (sessionId = "s1", { connected = true, phoneNumber = "34600999888" } = {}) => {
      await sessions.create({ sessionId });
      if (!connected) return sessions.get(sessionId);
      const account = whatsapp.account(sessionId);
      account.isPaired = true;
      account.whenOpened((opened) => opened.opens({ phoneNumber, lid: null }));
      await sessions.connect(sessionId);
      return until(`${sessionId} is connected`, async () => {
        const session = await sessions.get(sessionId);
        return session.state === "connected" ? session : null;
      });
    },
  };
}

/** Bytes as they are, to a fresh connection; everything that came back until the other side closed it. */
export function rawCall(
  rig: Pick<HttpRig, "server">,
  chunks: (string | Buffer)[],
  { keepOpen = false } = {},
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(rig.server.port, "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
    socket.on("error", () => undefined); // being cut off is an answer too
    socket.on("close", () => resolve(answer));
    for (const chunk of chunks) socket.write(chunk);
    if (!keepOpen) socket.end();
  });
}

/** A JSON object as a test looks into it. */
export function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error("not a JSON object");
  return { ...value };
}

export function listIn(data: Record<string, unknown>, name: string): Record<string, unknown>[] {
  const value = data[name];
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`);
  return value.map(recordOf);
}

/** The value has exactly the members of the schema: none missing, none of the wrong kind, none beyond. */
export function isExactly(schema: z.ZodObject, value: unknown): void {
  expect(schema.strict().safeParse(value).error?.issues ?? []).toEqual([]);
}
