/** W6 and W7: messages that cannot be read are asked for, shown as missing after a while, and made whole in their place. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { UNDECRYPTABLE, type Message } from "../../hub/core/message.ts";
import { openWhatsAppRig, type WhatsAppRig } from "../support/whatsapp-rig.ts";
import { until } from "../support/until.ts";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import { trustEmulator } from "../whatsapp/trust.ts";

let emulator: Emulator;
const rigs: WhatsAppRig[] = [];

beforeAll(async () => {
  emulator = await startEmulator();
  await trustEmulator(emulator);
});
afterEach(async () => {
  emulator.clearFaults();
  for (const rig of rigs.splice(0)) await rig.stop();
});
afterAll(() => emulator.stop());

interface Scene {
  rig: WhatsAppRig;
  account: string;
  ana: string;
  group: string;
}

/** What is missing is shown after half a second here. */
async function aScene(): Promise<Scene> {
  const created = emulator.createAccount({ preset: "small", size: { messages: 0, activeChats: 0 } });
  const rig = await openWhatsAppRig(emulator, {
    number: created.number,
    timing: { sweepMs: 100, missingAfterMs: 500 },
  });
  rigs.push(rig);
  await rig.connect();
  await until("the history is stored", async () => (await rig.store().intake.open("s1")).length === 0);
  const ana = emulator.contacts(created.number)[0]?.number ?? "";
  const group = emulator.createGroup({ subject: "neighbours", members: [created.number, ana] });
  return { rig, account: created.number, ana, group: group.id };
}

/** m1, a message that nobody sends again, m3. */
async function aBrokenMessage(scene: Scene): Promise<string> {
  const { account, ana } = scene;
  await said(scene, "m1");
  emulator.fault({ kind: "ignore-retry", account, count: null });
  emulator.fault({ kind: "corrupt", account });
  const { id } = emulator.receive({ account, from: ana, kind: "text", text: "m2" });
  await said(scene, "m3");
  return id;
}

const shown = ({ rig }: Scene, id: string) =>
  until("the stand-in", async () => {
    const message = await rig.store().inbox.message("s1", id);
    return message?.unknownKind === UNDECRYPTABLE ? message : null;
  });

const whole = ({ rig }: Scene, id: string): Promise<Message> =>
  until("the message itself", async () => {
    const message = await rig.store().inbox.message("s1", id);
    return message?.unknownKind === null ? message : null;
  });

async function eventsAbout({ rig }: Scene, id: string): Promise<string[]> {
  const all = await rig.store().events.after({ after: 0, limit: 1000, sessions: "*" });
  return all
    .filter(({ body }) => body.includes(id))
    .map(({ body }) => (JSON.parse(body) as { event: string }).event);
}

describe("W6, W7: a message that nobody sends again", () => {
  test("is shown as missing, and takes its own place when its sender sends it after all", async () => {
    const scene = await aScene();
    emulator.fault({ kind: "phone-silent", account: scene.account, count: null });
    const id = await aBrokenMessage(scene);
    const placeholder = await shown(scene, id);
    expect(placeholder.content).toContain("cannot be read yet");
    // Shown late, and yet where it belongs as far as its order of arrival was known: times are equal, rows are not.
    const places = (await scene.rig.messages()).map((message) => message.id);

    emulator.resend({ account: scene.account, id });
    expect(await whole(scene, id)).toMatchObject({ content: "m2", timestamp: placeholder.timestamp });
    expect((await scene.rig.messages()).map((message) => message.id)).toEqual(places);
    expect(await eventsAbout(scene, id)).toEqual(["message.received", "message.updated"]);
    await until("nothing left open", async () => (await scene.rig.store().intake.open("s1")).length === 0);
  });

  test("is asked of the phone, whose answer takes the stand-in's place", async () => {
    const scene = await aScene();
    const id = await aBrokenMessage(scene);
    await shown(scene, id);
    expect(await whole(scene, id)).toMatchObject({ content: "m2" });
    expect(await eventsAbout(scene, id)).toEqual(["message.received", "message.updated"]);
  });

  test("heals when it comes after a restart", async () => {
    const scene = await aScene();
    const { rig, account } = scene;
    emulator.fault({ kind: "phone-silent", account, count: null });
    const id = await aBrokenMessage(scene);
    await shown(scene, id);
    await rig.crash();
    await rig.connect();
    emulator.resend({ account, id });
    await whole(scene, id);
    expect(await eventsAbout(scene, id)).toEqual(["message.received", "message.updated"]);
    expect((await rig.messages()).filter((message) => message.id === id)).toHaveLength(1);
  });

  test("is shown by the next process when the first died before", async () => {
    const scene = await aScene();
    const { rig, account } = scene;
    emulator.fault({ kind: "phone-silent", account, count: null });
    const id = await aBrokenMessage(scene);
    if ((await rig.store().inbox.message("s1", id)) === null) await rig.crash();
    await rig.connect();
    await shown(scene, id);
    expect(await eventsAbout(scene, id)).toEqual(["message.received"]);
  });
});

test("W7: in a group the author of the stand-in is the author of the message", async () => {
  const scene = await aScene();
  const { rig, account, group } = scene;
  emulator.fault({ kind: "phone-silent", account, count: null });
  emulator.fault({ kind: "ignore-retry", account, count: null });
  emulator.fault({ kind: "corrupt", account });
  const { id } = emulator.receive({ account, group, kind: "text", text: "m1" });
  const placeholder = await shown(scene, id);
  emulator.resend({ account, id });
  const message = await whole(scene, id);
  expect(message).toMatchObject({ content: "m1", participant: placeholder.participant });
  expect(await rig.messages()).toHaveLength(1);
});

test("W6: a reaction that cannot be read is missed by nobody", async () => {
  const scene = await aScene();
  const { rig, account, ana } = scene;
  emulator.receive({ account, from: ana, kind: "text", text: "m1" });
  const target = await until("the message", async () => (await rig.messages())[0]);
  emulator.fault({ kind: "phone-silent", account, count: null });
  emulator.fault({ kind: "ignore-retry", account, count: null });
  emulator.fault({ kind: "corrupt", account });
  emulator.receive({ account, from: ana, kind: "reaction", emoji: "👍", target: { id: target.id } });
  const broken = await aBrokenMessage(scene);
  await shown(scene, broken);
  expect((await rig.messages()).map(({ id, unknownKind }) => [id === broken, unknownKind])).toEqual(
    expect.arrayContaining([[true, UNDECRYPTABLE]]),
  );
  expect((await rig.messages()).filter(({ unknownKind }) => unknownKind !== null)).toHaveLength(1);
});

describe("W6: a message that cannot be read at first", () => {
  /** What WhatsApp does, or what happened to the keys, before `next` is said. */
  const CAUSES: Record<string, (scene: Scene) => void | Promise<void>> = {
    "its ciphertext is damaged": ({ account }) => emulator.fault({ kind: "corrupt", account }),
    "there is no session with its sender": (scene) => forget(scene, "session"),
    "the key it begins a session with was used up": async (scene) => {
      // The sender starts anew, with one of the keys that this device no longer has.
      await forget(scene, "pre-key");
      emulator.changeContact(scene.account, scene.ana, { reinstalled: true });
    },
  };

  test.each(Object.entries(CAUSES))("because %s is asked for, and comes whole", async (_why, happens) => {
    const scene = await aScene();
    const { rig, account, ana } = scene;
    await said(scene, "before");
    await happens(scene);
    const { id } = emulator.receive({ account, from: ana, kind: "text", text: "next" });
    expect(await whole(scene, id)).toMatchObject({ content: "next" });
    expect(emulator.ledgerSummary(account).retries).toBeGreaterThan(0);
    await said(scene, "after");
    expect((await rig.texts()).filter((text) => text === "next")).toHaveLength(1);
    await until("nothing left open", async () => (await rig.store().intake.open("s1")).length === 0);
  });

  test("because its group's key is unknown is asked for, and comes whole", async () => {
    const scene = await aScene();
    const { account, ana, group } = scene;
    emulator.receive({ account, from: ana, group, kind: "text", text: "before" });
    await until("before", async () => (await scene.rig.texts()).includes("before"));
    await forget(scene, "sender-key");
    const { id } = emulator.receive({ account, from: ana, group, kind: "text", text: "next" });
    expect(await whole(scene, id)).toMatchObject({ content: "next" });
    const after = emulator.receive({ account, from: ana, group, kind: "text", text: "after" });
    await whole(scene, after.id);
    await until("nothing left open", async () => (await scene.rig.store().intake.open("s1")).length === 0);
  });

  test("is asked for five times at most, however often it comes broken again", async () => {
    const scene = await aScene();
    const { account } = scene;
    emulator.fault({ kind: "phone-silent", account, count: null });
    // A sender whose answers are no better: each request brings the same broken message.
    const stop = emulator.on({ types: ["message.retried"], account }, ({ id = "" }) =>
      emulator.replay({ account, id }),
    );
    const id = await aBrokenMessage(scene);
    await shown(scene, id);
    stop();
    expect(emulator.ledger({ account, id })[0]?.retriedAt).toHaveLength(5);
  });
});

async function said({ rig, account, ana }: Scene, text: string): Promise<void> {
  emulator.receive({ account, from: ana, kind: "text", text });
  await until(text, async () => (await rig.texts()).includes(text));
}

/** As if the keys of a kind had never been there; the connection is made anew, so that none is kept in memory. */
async function forget({ rig }: Scene, kind: string): Promise<void> {
  await rig.link().close();
  const { auth } = rig.store();
  const rows = (await auth.loginRows("s1"))?.keys ?? [];
  const keys = rows.filter(({ type }) => type === kind).map(({ id }) => ({ type: kind, id, value: null }));
  expect(keys.length).toBeGreaterThan(0);
  await auth.commit("s1", { keys, intake: [] });
  await rig.connect();
}
