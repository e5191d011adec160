import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hours } from "../support/fixed-clock.ts";
import { sends, serveFile, type FileServer } from "../support/file-server.ts";
import { ANA, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { JPEG, PNG } from "../support/sample-files.ts";

let inbox: InboxRig;
let server: FileServer | null = null;
beforeEach(async () => {
  inbox = await openInbox({ allowCidrs: ["127.0.0.0/8"] });
});
afterEach(async () => {
  await inbox.close();
  await server?.close();
  server = null;
});

describe("whether a number is on WhatsApp", () => {
  const lookUp = (phone: string) => inbox.parts.contacts.lookUp("s1", phone);

  test("is asked once a day, however the number is written", async () => {
    for (const phone of ["34600111222", "+34 600 111 222", "34600111222@c.us"])
      expect(await lookUp(phone)).toMatchObject({ exists: true, jid: ANA });
    expect(inbox.whatsapp.asked.lookUp).toBe(1);
    inbox.clock.advance(hours(25));
    await lookUp("34600111222");
    expect(inbox.whatsapp.asked.lookUp).toBe(2);
  });

  test("comes with the contact when we know it", async () => {
    expect((await lookUp("34600111222")).contact).toBeNull();
    await know({ pushName: "Ana" });
    expect((await lookUp("34600111222")).contact).toMatchObject({ jid: ANA, pushName: "Ana" });
    inbox.whatsapp.unknownNumbers.add("34600111333");
    expect(await lookUp("34600111333")).toMatchObject({ exists: false, contact: null });
  });

  test("is not remembered when it could not be asked", async () => {
    inbox.whatsapp.goesAway();
    await expect(lookUp("34600111222")).rejects.toMatchObject({ code: "SESSION_NOT_CONNECTED" });
    inbox.whatsapp.comesBack();
    expect((await lookUp("34600111222")).exists).toBe(true);
  });

  test.each(["hello", "120363000000000000@g.us"])("is no question for %s", async (written) => {
    await expect(lookUp(written)).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
  });
});

const know = (change: { pushName: string }) =>
  inbox.parts.ingest({
    sessionId: "s1",
    facts: [{ kind: "contact", jid: ANA, change, live: false }],
    closes: [],
  });

describe("a profile picture", () => {
  const picture = () => inbox.parts.contacts.picture("s1", ANA);
  const tokenOf = async () => (await inbox.parts.contacts.info("s1", ANA)).pictureToken;
  beforeEach(() => know({ pushName: "Ana" }));

  test("is asked for once a day and served from our disk after that", async () => {
    server = await serveFile(sends(JPEG));
    inbox.whatsapp.pictureUrl = `${server.url}/pic.jpg`;
    const [one] = await Promise.all([picture(), picture(), picture()]);
    expect(await readFile(one.path)).toEqual(JPEG);
    inbox.clock.advance(hours(23));
    await picture();
    expect([inbox.whatsapp.asked.picture, server.requests]).toEqual([1, 1]);
    expect((await inbox.media.openByToken((await tokenOf()) ?? "")).size).toBe(JPEG.length);
    inbox.clock.advance(hours(2));
    await picture();
    expect(inbox.whatsapp.asked.picture).toBe(2);
  });

  test("that changed gets a new URL, and the old file is deleted", async () => {
    let file = JPEG;
    server = await serveFile((request, response) => sends(file)(request, response));
    inbox.whatsapp.pictureUrl = server.url;
    await picture();
    const before = await tokenOf();
    inbox.clock.advance(hours(25));
    file = PNG;
    expect(await readFile((await picture()).path)).toEqual(PNG);
    expect(await tokenOf()).not.toBe(before);
    expect(await inbox.filesOnDisk()).toHaveLength(1);
  });

  test("that is hidden or missing is not asked for again that day", async () => {
    for (let i = 0; i < 3; i++) await expect(picture()).rejects.toMatchObject({ code: "MEDIA_NOT_FOUND" });
    expect(inbox.whatsapp.asked.picture).toBe(1);
    expect(await tokenOf()).toBeNull();
  });

  test("that cannot be fetched is not asked for again that day, and then is", async () => {
    inbox.whatsapp.pictureUrl = "http://127.0.0.1:1/none.jpg";
    await expect(picture()).rejects.toMatchObject({ code: "MEDIA_ERROR" });
    for (let i = 0; i < 3; i++) await expect(picture()).rejects.toMatchObject({ code: "MEDIA_NOT_FOUND" });
    expect(inbox.whatsapp.asked.picture).toBe(1);
    inbox.clock.advance(hours(25));
    await expect(picture()).rejects.toMatchObject({ code: "MEDIA_ERROR" });
    expect(inbox.whatsapp.asked.picture).toBe(2);
  });

  test("is asked for as soon as it can be, where there was no connection to ask over", async () => {
    server = await serveFile(sends(JPEG));
    inbox.whatsapp.pictureUrl = server.url;
    inbox.whatsapp.goesAway();
    await expect(picture()).rejects.toMatchObject({ code: "SESSION_NOT_CONNECTED" });
    inbox.whatsapp.comesBack();
    expect(await readFile((await picture()).path)).toEqual(JPEG);
  });

  test("counts among the day's questions: beyond them the one we have is shown, and else the caller told when to ask", async () => {
    server = await serveFile(sends(JPEG));
    inbox.whatsapp.pictureUrl = server.url;
    const today = inbox.clock.now();
    for (let n = 0; n < 500; n++) await inbox.store.lookUps.asking("s1", today);
    const untilMidnight = 86_400 - (Math.floor(today.getTime() / 1000) % 86_400);
    await expect(picture()).rejects.toMatchObject({
      code: "OVERLOADED",
      retryAfterSeconds: untilMidnight,
    });
    expect(inbox.whatsapp.asked.picture).toBe(0);
    inbox.clock.advance(untilMidnight * 1000);
    expect(await readFile((await picture()).path)).toEqual(JPEG);

    inbox.clock.advance(hours(25));
    for (let n = 0; n < 500; n++) await inbox.store.lookUps.asking("s1", inbox.clock.now());
    expect(await readFile((await picture()).path)).toEqual(JPEG);
    expect(inbox.whatsapp.asked.picture).toBe(1);
  });

  test("is never asked for by reading a contact", async () => {
    for (let i = 0; i < 100; i++) await inbox.parts.contacts.info("s1", "+34 600 111 222");
    expect(inbox.whatsapp.asked).toEqual({ lookUp: 0, picture: 0, about: 0, download: 0 });
  });
});
