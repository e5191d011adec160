/** Messages that cannot be read: shown as missing after a while, and made whole in their place when they come after all. */
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
  return { rig, account: created.number, ana, group: created.groups[0]?.id ?? "" };
}

/** m1, a message that nobody sends again, m3. */
async function aBrokenMessage({ rig, account, ana }: Scene): Promise<string> {
  const said = async (text: string): Promise<void> => {
    emulator.receive({ account, from: ana, kind: "text", text });
    await until(text, async () => (await rig.texts()).includes(text));
  };
  await said("m1");
  emulator.fault({ kind: "ignore-retry", account, count: null });
  emulator.fault({ kind: "corrupt", account });
  const { id } = emulator.receive({ account, from: ana, kind: "text", text: "m2" });
  await said("m3");
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

describe("a message that nobody sends again", () => {
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

  test("heals after the process died in between", async () => {
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

test("in a group the author of the stand-in is the author of the message", async () => {
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

test("a reaction that cannot be read is missed by nobody", async () => {
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

test("a storm of broken messages is shown in full, holds nobody up, and asks the phone for a few", async () => {
  const scene = await aScene();
  const { rig, account, ana } = scene;
  const STORM = 300;
  emulator.fault({ kind: "phone-silent", account, count: null });
  emulator.fault({ kind: "ignore-retry", account, count: null });
  emulator.fault({ kind: "corrupt", account, count: STORM });
  emulator.receiveAll(
    Array.from({ length: STORM }, (_, n) => ({
      account,
      from: ana,
      kind: "text" as const,
      text: `bad ${n}`,
    })),
  );
  await until("the stand-ins", async () => (await rig.messages()).length === STORM);
  const sent = performance.now();
  emulator.receive({ account, from: ana, kind: "text", text: "good" });
  await until("the good one", async () => (await rig.texts()).includes("good"));
  expect(performance.now() - sent).toBeLessThan(5_000);
  const messages = await rig.messages();
  expect(messages.filter(({ unknownKind }) => unknownKind === UNDECRYPTABLE)).toHaveLength(STORM);
  expect(rig.lines.filter(({ event }) => event === "whatsapp.messages_missing").length).toBeLessThan(20);
});
