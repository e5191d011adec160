/** Contacts that somebody looked at are looked up at WhatsApp: slowly, not too many, and not while it would harm the account. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ContactChange } from "../../hub/core/facts.ts";
import { startProfiles, type Profiles, type ProfilesParts } from "../../hub/inbox/profiles.ts";
import { hours } from "../support/fixed-clock.ts";
import { sends, serveFile, type FileServer } from "../support/file-server.ts";
import { ANA, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { logBook } from "../support/log-book.ts";
import { JPEG, PNG } from "../support/sample-files.ts";

let inbox: InboxRig;
let server: FileServer;
let picture: Buffer;
let profiles: Profiles;
let state: "connected" | "restricted";
let isRestricted: boolean;

const start = (change: Partial<ProfilesParts> = {}): Profiles =>
  startProfiles({
    inbox: inbox.store.inbox,
    lookUps: inbox.store.lookUps,
    contacts: inbox.parts.contacts,
    ingest: inbox.parts.ingest,
    sessions: { get: () => Promise.resolve({ state }) },
    sending: {
      restrictionOf: () =>
        Promise.resolve(
          isRestricted ? { since: new Date(), until: new Date(), isUntilKnown: true, type: null } : null,
        ),
    },
    isOn: true,
    clock: inbox.clock,
    log: logBook(),
    everyMs: 1,
    ...change,
  });

beforeEach(async () => {
  inbox = await openInbox({ allowCidrs: ["127.0.0.0/8"] });
  picture = JPEG;
  server = await serveFile((request, response) => sends(picture)(request, response));
  inbox.whatsapp.pictureUrl = `${server.url}/pic.jpg`;
  inbox.whatsapp.about = "De vacaciones";
  state = "connected";
  isRestricted = false;
  profiles = start();
  await know(ANA, { pushName: "Ana" });
});
afterEach(async () => {
  await profiles.stop();
  await inbox.close();
  await server.close();
});

const know = (jid: string, change: ContactChange) =>
  inbox.parts.ingest({ sessionId: "s1", facts: [{ kind: "contact", jid, change, live: false }], closes: [] });
const told = (): Promise<string[]> => inbox.events();

/** Somebody reads the contact, and whatever follows from that has happened. */
async function looksAt(written: string) {
  const contact = await inbox.parts.contacts.info("s1", written);
  profiles.want(contact);
  await profiles.idle();
  return inbox.parts.contacts.info("s1", written);
}

test("a contact that somebody looked at gets picture and about, told once, and is not asked for again that day", async () => {
  const contact = await looksAt("34600111222");
  expect(contact).toMatchObject({ about: "De vacaciones", pushName: "Ana" });
  expect((await inbox.media.openByToken(contact.pictureToken ?? "")).size).toBe(JPEG.length);
  expect(await told()).toEqual(["contact.updated"]);

  for (let n = 0; n < 5; n += 1) await looksAt("34600111222");
  await inbox.parts.contacts.picture("s1", ANA);
  expect(inbox.whatsapp.asked).toMatchObject({ picture: 1, about: 1 });

  inbox.clock.advance(hours(25));
  await looksAt("34600111222");
  expect(inbox.whatsapp.asked).toMatchObject({ picture: 2, about: 2 });
  expect(await told()).toEqual(["contact.updated"]);
  expect(await inbox.filesOnDisk()).toHaveLength(1);
});

test("a picture that WhatsApp says is a new one is fetched at once, with a URL of its own", async () => {
  const before = (await looksAt("34600111222")).pictureToken;
  picture = PNG;
  await inbox.parts.ingest({
    sessionId: "s1",
    facts: [{ kind: "profile", jid: ANA, lookedUpAt: null }],
    closes: [],
  });
  await profiles.idle();
  const after = await inbox.parts.contacts.info("s1", ANA);
  expect(after.pictureToken).not.toBe(before);
  expect((await inbox.media.openByToken(after.pictureToken ?? "")).size).toBe(PNG.length);
  expect(await told()).toEqual(["contact.updated", "contact.updated"]);
  expect(await inbox.filesOnDisk()).toHaveLength(1);
});

test("nobody is asked for who has neither: not a second time that day, also after a restart", async () => {
  inbox.whatsapp.pictureUrl = null;
  inbox.whatsapp.about = null;
  await looksAt("34600111222");
  await profiles.stop();
  profiles = start();
  await looksAt("34600111222");
  expect(inbox.whatsapp.asked).toMatchObject({ picture: 1, about: 1 });
  expect(await told()).toEqual([]);
});

test("a group is asked for its picture alone: its description comes by itself", async () => {
  const group = "120363000000000001@g.us";
  await know(group, { name: "Team", about: "Only for work" });
  expect(await looksAt(group)).toMatchObject({ about: "Only for work" });
  expect(inbox.whatsapp.asked).toMatchObject({ picture: 1, about: 0 });
});

test.each<[string, () => Promise<void> | void]>([
  ["while WhatsApp restricts the account", () => void (isRestricted = true)],
  ["while the account is not well connected", () => void (state = "restricted")],
  ["while it is not connected", () => inbox.whatsapp.goesAway()],
  [
    "where it is switched off",
    async () => {
      await profiles.stop();
      profiles = start({ isOn: false });
    },
  ],
])("nothing is asked %s", async (_when, happens) => {
  await happens();
  expect(await looksAt("34600111222")).toMatchObject({ about: null, pictureToken: null });
  expect(inbox.whatsapp.asked).toMatchObject({ picture: 0, about: 0 });
});

test("no more are asked for than a day allows, one after the other, and the rest another day", async () => {
  await profiles.stop();
  profiles = start({ perDay: 3 });
  const people = Array.from({ length: 5 }, (_, n) => `3460000010${n}@s.whatsapp.net`);
  for (const jid of people) await know(jid, { pushName: "P" });
  for (const jid of people) profiles.want(await inbox.parts.contacts.info("s1", jid));
  await profiles.idle();
  expect(inbox.whatsapp.asked.picture).toBe(3);
  inbox.clock.advance(hours(24));
  for (const jid of people) profiles.want(await inbox.parts.contacts.info("s1", jid));
  await profiles.idle();
  expect(inbox.whatsapp.asked.picture).toBe(6);
});

test("a picture that cannot be fetched is not tried again that day, and holds nobody else back", async () => {
  inbox.whatsapp.pictureUrl = "http://127.0.0.1:1/none.jpg";
  await looksAt("34600111222");
  await looksAt("34600111222");
  expect(inbox.whatsapp.asked.picture).toBe(1);
  inbox.whatsapp.pictureUrl = `${server.url}/pic.jpg`;
  await know("34600333444@s.whatsapp.net", { pushName: "Eva" });
  expect(await looksAt("34600333444")).toMatchObject({ about: "De vacaciones" });
});
