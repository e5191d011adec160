/** What the rows about sending stand on: WhatsApp in this process, the real connector and store, and sending on top of them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Log } from "../../hub/core/log.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import { createAddressGuard } from "../../hub/core/webhook-address.ts";
import { createContacts } from "../../hub/inbox/contacts.ts";
import { createMedia } from "../../hub/inbox/media.ts";
import { createSending, type Sending } from "../../hub/inbox/send.ts";
import type { SendRequest } from "../../hub/inbox/send-request.ts";
import { aRequest } from "../support/inbox-rig.ts";
import { openWhatsAppRig, type WhatsAppRig } from "../support/whatsapp-rig.ts";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import type { NewAccountRequest } from "../whatsapp/operations/accounts.ts";
import { trustEmulator } from "../whatsapp/trust.ts";

const quiet = (): void => undefined;
const silentLog: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export interface SendingStand {
  emulator: Emulator;
  account: string;
  /** Numbers of the address book. */
  people: string[];
  rig: WhatsAppRig;
  sending(): Sending;
  /** A text to one of them. */
  request(to: string, text: string, change?: Partial<SendRequest>): SendRequest;
  statusOf(messageId: string): Promise<string | undefined>;
  /** Told about this message, in order. */
  eventsOf(messageId: string): Promise<string[]>;
  /** All there is of this name. */
  told(event: string): Promise<Record<string, unknown>[]>;
  /** Time goes on for sending, at once. */
  advance(ms: number): void;
  connect(): Promise<void>;
  /** The process is gone; another one opens the same files, not connected yet. */
  crash(): Promise<void>;
}

/** Ends with the test. The account is linked, and connected unless told otherwise. */
export async function openSendingStand(options: NewAccountRequest["options"] = {}): Promise<SendingStand> {
  const dir = await mkdtemp(join(tmpdir(), "sending-"));
  const emulator = await startEmulator();
  await trustEmulator(emulator);
  const { number } = emulator.createAccount({
    preset: "small",
    size: { contacts: 12, chats: 0, groups: 0, messages: 0, activeChats: 0 },
    options,
  });
  const rig = await openWhatsAppRig(emulator, { number });
  let ahead = 0;
  const clock = { now: () => new Date(Date.now() + ahead) };
  let sending = begin();

  function begin(): Sending {
    const store = rig.store();
    const ingest = rig.ingest();
    const link = () => rig.link();
    const guard = createAddressGuard({ allowCidrs: [], allowedUrls: [] });
    const media = createMedia({ media: store.media, link, dir, guard, clock, log: silentLog });
    const contacts = createContacts({ ...store, tokens: store.media, media, link, ingest, clock });
    const made = createSending({
      ...store,
      ...{ media, contacts, link, ingest, clock, nudge: createNudge(), log: silentLog, ackWaitMs: 1_500 },
    });
    rig.onNews = (news) => made.heard("s1", news);
    return made;
  }

  const connect = async (): Promise<void> => {
    await rig.connect();
    void sending.resume("s1");
  };
  onTestFinished(async () => {
    await sending.stop();
    await rig.stop();
    await emulator.stop();
    await rm(dir, { recursive: true, force: true });
  });
  await connect();

  const events = async () =>
    (await rig.store().events.after({ after: 0, limit: 10_000, sessions: "*" })).map(
      ({ body }) => JSON.parse(body) as { event: string; data: Record<string, unknown> },
    );
  return {
    emulator,
    account: number,
    people: emulator.contacts(number).map((person) => person.number),
    rig,
    sending: () => sending,
    request: (to, text, change = {}) => aRequest({ to, content: { kind: "text", text }, ...change }),
    statusOf: async (id) => (await rig.store().inbox.message("s1", id))?.status,
    eventsOf: async (id) =>
      (await events()).filter(({ data }) => data["messageId"] === id).map(({ event }) => event),
    told: async (name) => (await events()).filter(({ event }) => event === name).map(({ data }) => data),
    advance: (ms) => {
      ahead += ms;
    },
    connect,
    crash: async () => {
      const dead = sending;
      await rig.crash();
      sending = begin();
      await dead.stop();
    },
  };
}
