/** The inbox with its real neighbours: SQLite, files on disk, a guard; only WhatsApp is played. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "../../hub/core/log.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import type { Store } from "../../hub/core/store.ts";
import { createAddressGuard } from "../../hub/core/webhook-address.ts";
import { createContacts } from "../../hub/inbox/contacts.ts";
import { createIngest } from "../../hub/inbox/ingest.ts";
import { createMedia } from "../../hub/inbox/media.ts";
import type { SendRequest } from "../../hub/inbox/send-request.ts";
import { createSending, type SendingParts } from "../../hub/inbox/send.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { aNewSession } from "./builders.ts";
import { fixedClock, type FixedClock } from "./fixed-clock.ts";
import { createPuppetLink } from "./puppet-link.ts";

export const ANA = "34600111222@s.whatsapp.net";

const quiet = (): void => undefined;
const silentLog: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export const aRequest = (change: Partial<SendRequest> = {}): SendRequest => ({
  sessionId: "s1",
  client: "crm",
  numbering: { defaultCountry: null, nationalDigits: null },
  to: "34600111222",
  content: { kind: "text", text: "hola" },
  quotedMessageId: null,
  mentions: [],
  queue: false,
  ttlSeconds: null,
  ...change,
});

export type InboxRig = Awaited<ReturnType<typeof openInbox>>;

export interface InboxRigOptions {
  /** Address ranges that downloads may go to beside public ones. */
  allowCidrs?: string[];
  ackWaitMs?: number;
  /** How long the connection may take over what is no message. */
  orderMs?: number;
  urlTimeoutMs?: number;
  downloadHoldMs?: number;
  downloadDeadlineMs?: number;
  /** How much may be sent; all there is, unless told. */
  limits?: Pick<SendingParts, "limits" | "schedule" | "random">;
  clock?: FixedClock;
  /** Throws while there is no room for files. */
  refuseFiles?: () => Promise<void>;
}

/** Everything in a folder of its own; `crash` ends it as a kill would and opens a new life on the same data. */
export async function openInbox({
  allowCidrs = [],
  ackWaitMs = 5_000,
  orderMs = 5_000,
  urlTimeoutMs = 5_000,
  downloadHoldMs = 5_000,
  downloadDeadlineMs = 5_000,
  limits = {},
  clock = fixedClock(),
  refuseFiles = () => Promise.resolve(),
}: InboxRigOptions = {}) {
  const dir = await mkdtemp(join(tmpdir(), "inbox-"));
  const file = join(dir, "hub.db");

  const live = async () => {
    const store: Store = await openSqliteStore({ file, publicUrl: "https://hub.example", clock });
    const nudge = createNudge();
    const ingest = createIngest({ inbox: store.inbox, clock, nudge });
    const puppet = createPuppetLink((sessionId, facts) => ingest({ sessionId, facts, closes: [] }));
    const link = (sessionId: string) => puppet.link(sessionId);
    const guard = createAddressGuard({ allowCidrs, allowedUrls: [] });
    const media = createMedia({
      ...{
        media: store.media,
        link,
        dir,
        guard,
        clock,
        log: silentLog,
        urlTimeoutMs,
        downloadHoldMs,
        downloadDeadlineMs,
      },
      refuseWhenFull: refuseFiles,
    });
    const contacts = createContacts({
      ...{ inbox: store.inbox, lookUps: store.lookUps, tokens: store.media },
      ...{ media, link, ingest, clock, orderMs, refuseWhenFull: refuseFiles },
    });
    const sending = createSending({
      ...store,
      ...limits,
      ...{ media, contacts, link, ingest, clock, nudge, log: silentLog, ackWaitMs, orderMs },
    });
    return { store, ingest, puppet, media, contacts, sending };
  };

  let parts = await live();
  await parts.store.sessions.create(aNewSession());

  const rig = {
    dir,
    clock,
    get parts() {
      return parts;
    },
    get sending() {
      return parts.sending;
    },
    get media() {
      return parts.media;
    },
    get store() {
      return parts.store;
    },
    get whatsapp() {
      return parts.puppet;
    },
    /** Everything in the folder of media, whole or half-written. */
    filesOnDisk: async (): Promise<string[]> => {
      const names = await readdir(join(dir, "media"), { recursive: true }).catch(() => []);
      return names.filter((name) => name.includes("med_"));
    },
    /** Names of the events so far, in order. */
    events: async (): Promise<string[]> => {
      const rows = await parts.store.events.after({ after: 0, limit: 1_000, sessions: "*" });
      return rows.map(({ body }) => (JSON.parse(body) as { event: string }).event);
    },
    /** The process dies: nothing of it acts any more, and what it had not written is lost. */
    crash: async () => {
      parts.puppet.goesAway();
      const dead = parts;
      await dead.puppet.idle();
      await dead.store.close();
      parts = await live();
      void dead.sending.stop();
    },
    close: async () => {
      await parts.sending.stop();
      await parts.puppet.idle();
      await parts.media.idle();
      await parts.store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return rig;
}
