/** Contacts that are looked up at a WhatsApp that tests play: whom it was asked about, and what may stop that. */
import { afterEach, beforeEach } from "vitest";
import { HubError } from "../../hub/core/errors.ts";
import { startProfiles, type Profiles, type ProfilesParts } from "../../hub/inbox/profiles.ts";
import { aMessageFact, T0_SECONDS } from "./builders.ts";
import { openInbox, type InboxRig } from "./inbox-rig.ts";
import { logBook, type LogBook } from "./log-book.ts";
import { until } from "./until.ts";

export const person = (n: number): string => `346000001${String(n).padStart(2, "0")}@s.whatsapp.net`;
export const people = (count: number): string[] => Array.from({ length: count }, (_, n) => person(n));

interface Played {
  inbox: InboxRig;
  profiles: Profiles;
  log: LogBook;
  state: "connected" | "reconnecting";
  isRestricted: boolean;
  isDiskFull: boolean;
  /** In the order in which WhatsApp was asked about them. */
  asked: string[];
  /** WhatsApp gives no answer about these. */
  silent: Set<string>;
}

/** Begun anew before each test of a file, with six people. */
export function lookUpRig() {
  const start = (change: Partial<ProfilesParts> = {}): void => {
    const { inbox } = rig;
    const { contacts, ingest } = inbox.parts;
    rig.profiles = startProfiles({
      inbox: inbox.store.inbox,
      lookUps: inbox.store.lookUps,
      contacts: {
        refresh: async (contact) => {
          rig.asked.push(contact.jid);
          inbox.whatsapp.pictureUrl = rig.silent.has(contact.jid) ? "http://127.0.0.1:1/none.jpg" : null;
          await contacts.refresh(contact);
        },
      },
      ingest,
      sessions: { get: () => Promise.resolve({ state: rig.state }) },
      sending: {
        restrictionOf: () =>
          Promise.resolve(
            rig.isRestricted
              ? { since: new Date(), until: new Date(), isUntilKnown: true, type: null }
              : null,
          ),
      },
      isOn: true,
      clock: inbox.clock,
      log: rig.log,
      everyMs: 1,
      lookAgainMs: 5,
      ...change,
    });
  };
  const refuseFiles = (): Promise<void> =>
    rig.isDiskFull ? Promise.reject(new HubError("OVERLOADED", "No room.")) : Promise.resolve();

  const tell = (facts: Parameters<InboxRig["parts"]["ingest"]>[0]["facts"]) =>
    rig.inbox.parts.ingest({ sessionId: "s1", facts, closes: [] });

  const played: Partial<Played> = {};
  const rig = Object.assign(played as Played, {
    start,
    restart: async (change: Partial<ProfilesParts> = {}): Promise<void> => {
      await rig.profiles.stop();
      start(change);
    },
    tell,
    know: (...jids: string[]) =>
      tell(jids.map((jid) => ({ kind: "contact", jid, change: { pushName: jid }, live: false }) as const)),
    /** WhatsApp says that it has a new picture. */
    saysNewPicture: (jid: string) => tell([{ kind: "profile", jid, lookedUpAt: null }]),
    writes: (n: number, after: number) =>
      tell([aMessageFact({ chatId: person(n), timestamp: T0_SECONDS + after })]),
    contactOf: (jid: string) => rig.inbox.parts.contacts.info("s1", jid),
    wishes: () => rig.inbox.store.lookUps.wanted(),
    untilAsked: (count: number) =>
      until(`${count} asked`, () => rig.asked.length >= count && rig.asked.length),
    /** What can go on now did. */
    settle: async (): Promise<void> => {
      for (let n = 0; n < 3; n += 1) await rig.profiles.idle();
    },
  });

  beforeEach(async () => {
    rig.inbox = await openInbox({ allowCidrs: ["127.0.0.0/8"], refuseFiles });
    rig.log = logBook();
    [rig.asked, rig.silent] = [[], new Set()];
    [rig.state, rig.isRestricted, rig.isDiskFull] = ["connected", false, false];
    start();
    await rig.know(...people(6));
  });
  afterEach(async () => {
    await rig.profiles.stop();
    await rig.inbox.close();
  });
  return rig;
}
