/** How much WhatsApp is asked of contacts: what stops it for a while, and that it goes on by itself. */
import { expect, test } from "vitest";
import { HubError } from "../../hub/core/errors.ts";
import { hours, minutes } from "../support/fixed-clock.ts";
import { lookUpRig, person } from "../support/look-up-rig.ts";
import { until } from "../support/until.ts";

const rig = lookUpRig();
const { restart, know, saysNewPicture, contactOf, wishes, untilAsked, settle } = rig;

test.each<[string, (stops: boolean) => void]>([
  ["a lost connection", (stops) => (rig.state = stops ? "reconnecting" : "connected")],
  ["a restriction", (stops) => (rig.isRestricted = stops)],
])("%s stops it, and its end lets it go on, with those that somebody looked at", async (_what, happens) => {
  happens(true);
  rig.profiles.want(await contactOf(person(5)));
  await rig.profiles.wantAll("s1", null);
  await settle();
  expect(rig.asked).toEqual([]);
  happens(false);
  await until("the wish is done", async () => (await wishes()).length === 0);
  expect(rig.asked).toEqual([5, 0, 1, 2, 3, 4].map(person));
});

test("the rest of a day's number comes the next day, and a new process has no new number", async () => {
  await restart({ perDay: 3 });
  await rig.profiles.wantAll("s1", null);
  await untilAsked(2);
  await restart({ perDay: 3 });
  await settle();
  expect(rig.asked).toHaveLength(2);
  for (const count of [4, 6]) {
    rig.inbox.clock.advance(hours(24));
    await untilAsked(count);
    await rig.profiles.idle();
    expect(rig.asked).toHaveLength(count);
  }
  rig.inbox.clock.advance(hours(24));
  await until("the wish is done", async () => (await wishes()).length === 0);
});

test("a picture that is new again and again has no more of a day than its number", async () => {
  await restart({ perDay: 3 });
  for (let n = 0; n < 10; n += 1) {
    await saysNewPicture(person(0));
    await settle();
  }
  expect(rig.inbox.whatsapp.asked.picture).toBe(3);
});

test("a question counts also when its contact turns out to be another one", async () => {
  await restart({ perDay: 2 });
  const lid = "120000000000001@lid";
  await know(lid);
  rig.profiles.want(await contactOf(lid));
  await untilAsked(1);
  await rig.profiles.idle();
  await rig.tell([{ kind: "lid", lid, phone: person(0) }]);
  rig.profiles.want(await contactOf(person(0)));
  rig.profiles.want(await contactOf(person(1)));
  await untilAsked(2);
  await settle();
  expect(rig.asked).toEqual([lid, person(0)]);
});

test("while the disk has no room for pictures nothing is asked, and then it goes on", async () => {
  rig.isDiskFull = true;
  await rig.profiles.wantAll("s1", null);
  await untilAsked(1);
  await settle();
  expect(rig.inbox.whatsapp.asked).toMatchObject({ picture: 0, about: 0 });
  rig.isDiskFull = false;
  rig.inbox.clock.advance(minutes(1));
  await until("the wish is done", async () => (await wishes()).length === 0);
  expect(rig.inbox.whatsapp.asked.picture).toBe(6);
});

test("what fails and is nobody's matter is tried ever more rarely, once an hour at last, and soon again after it went well", async () => {
  let fails = true;
  await restart({
    contacts: {
      refresh: async (contact) => {
        rig.asked.push(contact.jid);
        if (fails) throw new HubError("STORE_UNAVAILABLE", "No disk.");
        await rig.inbox.parts.contacts.refresh(contact);
      },
    },
  });
  await rig.profiles.wantAll("s1", null);
  await untilAsked(1);
  for (const [n, pause] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
    rig.inbox.clock.advance(minutes(pause) - 1);
    rig.profiles.want(await contactOf(person(5)));
    await settle();
    expect(rig.asked).toHaveLength(n + 1);
    rig.inbox.clock.advance(1);
    await untilAsked(n + 2);
    await settle();
  }
  fails = false;
  rig.inbox.clock.advance(minutes(60));
  await until("the wish is done", async () => (await wishes()).length === 0);
  fails = true;
  const before = rig.asked.length;
  await saysNewPicture(person(0));
  await untilAsked(before + 1);
  await settle();
  rig.inbox.clock.advance(minutes(1));
  await untilAsked(before + 2);
});

test("a question whose answer cannot be kept counts, and holds nobody else back", async () => {
  await restart({ perDay: 5 });
  Object.defineProperty(rig.inbox.whatsapp, "pictureUrl", {
    get: () => {
      throw new Error("a fault of our own");
    },
    set: () => undefined,
  });
  await rig.profiles.wantAll("s1", null);
  await untilAsked(1);
  for (const [n, pause] of [1, 2, 4].entries()) {
    await settle();
    rig.inbox.clock.advance(minutes(pause) - 1);
    await rig.profiles.wantAll("s1", null);
    await settle();
    expect(rig.asked).toHaveLength(n + 1);
    rig.inbox.clock.advance(1);
    await untilAsked(n + 2);
  }
  await settle();
  rig.inbox.clock.advance(minutes(60));
  await rig.profiles.wantAll("s1", null);
  await settle();
  expect(rig.asked).toEqual([0, 1, 2, 3].map(person));
});

test("WhatsApp's wish for fewer questions ends the day", async () => {
  let isRefused = true;
  await restart({
    contacts: {
      refresh: async (contact) => {
        rig.asked.push(contact.jid);
        if (isRefused) throw new HubError("WHATSAPP_ERROR", "Too many.", { details: { whatsappCode: 429 } });
        await rig.inbox.parts.contacts.refresh(contact);
      },
    },
  });
  await rig.profiles.wantAll("s1", null);
  await untilAsked(1);
  isRefused = false;
  await settle();
  expect(rig.asked).toHaveLength(1);
  rig.inbox.clock.advance(hours(24));
  await untilAsked(7);
});

test("of more than a thousand that somebody looked at the rest is forgotten, and said once", async () => {
  rig.state = "reconnecting";
  const contact = await contactOf(person(0));
  for (let n = 0; n < 1_010; n += 1) rig.profiles.want({ ...contact, jid: `3461${n}@s.whatsapp.net` });
  expect(rig.log.lines("profile.too_many_wanted")).toHaveLength(1);
});
