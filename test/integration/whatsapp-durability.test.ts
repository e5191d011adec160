import { openWhatsAppRig, type WhatsAppRig } from "../support/whatsapp-rig.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
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
  /** Texts of this test's messages, in the order of the chat. */
  texts(): Promise<string[]>;
}

async function aScene(): Promise<Scene> {
  const created = emulator.createAccount({ preset: "small", size: { messages: 0, activeChats: 0 } });
  const rig = await openWhatsAppRig(emulator, { number: created.number });
  rigs.push(rig);
  await rig.connect();
  await until("the history is stored", async () => (await rig.store().intake.open("s1")).length === 0);
  const ana = emulator.contacts(created.number)[0]?.number ?? "";
  return {
    rig,
    account: created.number,
    ana,
    group: created.groups[0]?.id ?? "",
    texts: async () =>
      (await rig.messages()).map((message) => message.content).filter((text) => text.startsWith("m")),
  };
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => `m${from + at}`);

function say({ account, ana }: Scene, texts: string[]): void {
  emulator.receiveAll(texts.map((text) => ({ account, from: ana, kind: "text" as const, text })));
}

describe.each([
  "after-stanza",
  "before-commit",
  "after-commit",
  "before-upsert",
  "after-upsert",
  "after-receipt",
])("the process dies %s", (point) => {
  test("nothing is lost, nothing doubled, nothing refused", async () => {
    const scene = await aScene();
    const { rig, account } = scene;
    say(scene, numbered(1, 5));
    await until("five messages", async () => (await scene.texts()).length === 5);

    rig.crashAt(point);
    say(scene, numbered(6, 25));
    await until("the crash", () => rig.signals.some(({ type }) => type === "store_failed"));
    await rig.crash();
    await rig.connect();
    await until("all messages", async () => (await scene.texts()).length >= 25);
    expect(await scene.texts()).toEqual(numbered(1, 25));
    await until("all acknowledged", () => emulator.ledgerSummary(account).unacked === 0);
    expect(emulator.ledgerSummary(account)).toMatchObject({ nacked: 0, retries: 0 });
    expect(await rig.store().intake.open("s1")).toEqual([]);
  });
});

test("while the store fails nothing is acknowledged; when it is back all is there, once", async () => {
  const scene = await aScene();
  const { rig, account } = scene;
  emulator.clear(account);
  rig.failWith(new Error("disk full"));
  say(scene, numbered(1, 100));
  await until("the store's failure is told", () => rig.signals.some(({ type }) => type === "store_failed"));
  expect(emulator.ledgerSummary(account)).toMatchObject({ receipted: 0, nacked: 0, acked: 0, retries: 0 });
  expect(rig.signals.at(-1)?.type).toBe("store_failed");

  rig.failWith(null);
  await rig.connect();
  await until("all messages", async () => (await scene.texts()).length >= 100);
  expect(await scene.texts()).toEqual(numbered(1, 100));
  await until("all acknowledged", () => emulator.ledgerSummary(account).unacked === 0);
  expect(emulator.ledgerSummary(account)).toMatchObject({ receipted: 100, nacked: 0, retries: 0 });
});

test("a stanza delivered five times is one message and five receipts", async () => {
  const scene = await aScene();
  emulator.clear(scene.account);
  emulator.fault({ kind: "duplicate", account: scene.account, times: 5 });
  say(scene, ["m1"]);
  await until("five receipts", () => emulator.ledgerSummary(scene.account).extraReceipts === 4);
  expect(await scene.texts()).toEqual(["m1"]);
  expect(emulator.ledgerSummary(scene.account)).toMatchObject({ nacked: 0, retries: 0 });
});

test("a receipt that got lost is given again from what was kept", async () => {
  const scene = await aScene();
  const { rig, account } = scene;
  emulator.clear(account);
  emulator.fault({ kind: "lose-receipt", account, count: 3 });
  say(scene, numbered(1, 3));
  await until("three messages", async () => (await scene.texts()).length === 3);
  await rig.connect();
  await until("the receipts", () => emulator.ledgerSummary(account).unacked === 0);
  expect(await scene.texts()).toEqual(numbered(1, 3));
  expect(emulator.ledgerSummary(account)).toMatchObject({ nacked: 0, retries: 0 });
});

test("a connection cut in the middle of the offline batch loses nothing", async () => {
  const scene = await aScene();
  const { rig, account } = scene;
  await rig.link().close();
  say(scene, numbered(1, 50));
  emulator.fault({ kind: "cut-after", account, stanzas: 17 });
  await rig.open();
  await until("the cut", () => rig.signals.at(-1)?.type === "closed");
  await rig.connect();
  await until("all messages", async () => (await scene.texts()).length >= 50);
  expect(await scene.texts()).toEqual(numbered(1, 50));
  await until("all acknowledged", () => emulator.ledgerSummary(account).unacked === 0);
  expect(emulator.ledgerSummary(account)).toMatchObject({ nacked: 0, retries: 0 });
});

test("group messages that arrive as 0 4 2 3 1 are all read, without asking again", async () => {
  const scene = await aScene();
  const { account, group } = scene;
  emulator.receive({ account, group, kind: "text", text: "m-first" });
  await until("the sender's key", async () => (await scene.texts()).length === 1);
  emulator.clear(account);
  emulator.fault({ kind: "reorder", account, order: [0, 4, 2, 3, 1] });
  for (const n of [0, 1, 2, 3, 4]) emulator.receive({ account, group, kind: "text", text: `m${n}` });
  await until("all messages", async () => (await scene.texts()).length === 6);
  await until("five receipts", () => emulator.ledgerSummary(account).receipted === 5);
  expect(emulator.ledgerSummary(account)).toMatchObject({ nacked: 0, retries: 0 });
});

test("a message that could not be decrypted is asked for, healed in place, and leaves nothing open", async () => {
  const scene = await aScene();
  const { rig, account } = scene;
  say(scene, ["m1"]);
  await until("the first", async () => (await scene.texts()).length === 1);
  emulator.fault({ kind: "corrupt", account, count: 1 });
  say(scene, ["m2", "m3"]);
  await until("all messages", async () => (await scene.texts()).length === 3);
  expect(emulator.ledgerSummary(account).retries).toBeGreaterThan(0);
  await until("nothing left open", async () => (await rig.store().intake.open("s1")).length === 0);
});
