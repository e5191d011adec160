/** W4: the history of a phone that comes in pieces: cut off in the middle, a piece twice, pieces in another order. */
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { HubEvent } from "../../hub/contract/events.ts";
import type { ConnectionTiming } from "../../hub/whatsapp/connection.ts";
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

const WAYS = ["inline", "download"] as const;

async function aPhone(history: (typeof WAYS)[number], timing: ConnectionTiming = {}) {
  const { number } = emulator.createAccount({
    preset: "small",
    size: { messages: 240, chats: 12, contacts: 12 },
    options: { history, historyChunk: 20 },
  });
  const rig = await openWhatsAppRig(emulator, { number, timing: { sweepMs: 200, ...timing } });
  rigs.push(rig);
  return { number, rig };
}

const total = async (rig: WhatsAppRig): Promise<number> =>
  (await rig.store().inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 1 })).total;

/** Every message of the phone, once, under its own chat; nothing open, nothing asked for twice, nobody told of old messages. */
async function isWhole(rig: WhatsAppRig, number: string): Promise<void> {
  const held = emulator.history(number).flatMap(({ messages }) => messages.map(({ id }) => id));
  await until("all messages", async () => (await total(rig)) >= held.length);
  await until("nothing left open", async () => (await rig.store().intake.open("s1")).length === 0);
  await until("all acknowledged", () => emulator.account(number).devices.every(({ queued }) => queued === 0));
  expect((await rig.messages()).map(({ id }) => id).sort()).toEqual(held.sort());
  const { total: chats } = await rig.store().inbox.chats({ sessionId: "s1", page: 1, limit: 1 });
  expect(chats).toBe(emulator.account(number).chats);
  const events = await rig.store().events.after({ after: 0, limit: 1000, sessions: "*" });
  expect(events.filter(({ body }) => body.includes('"message.received"'))).toEqual([]);
}

const progress = (rig: WhatsAppRig) =>
  rig.recorded
    .flatMap(({ facts }) => facts)
    .flatMap((fact) => (fact.kind === "history" && fact.import ? [fact] : []));

test("W4: history whose files are cut off in the middle ends no process, and is whole after the next connection", async () => {
  const { number, rig } = await aPhone("download");
  emulator.fault({ kind: "media", damage: "truncated", count: 4 });
  await rig.connect();
  await until("the damage", () => emulator.faults().length === 0);
  await rig.connect();
  await isWhole(rig, number);
});

describe("W4: history of which Baileys could not fetch a piece", () => {
  /** How many messages were there each time that the import was said to be over. */
  const ends = (rig: WhatsAppRig): number[] => {
    const ids = new Set<string>();
    const found: number[] = [];
    for (const fact of rig.recorded.flatMap(({ facts }) => facts)) {
      if (fact.kind === "message") ids.add(fact.message.id);
      if (fact.kind === "history" && fact.import && fact.done) found.push(ids.size);
    }
    return found;
  };

  test.each([0, 2, 3, 5])(
    "(after %d others) is whole without another connection, and not over before",
    async (skip) => {
      const { number, rig } = await aPhone("download");
      emulator.fault({ kind: "media", damage: "garbled", skip });
      await rig.connect();
      await isWhole(rig, number);
      expect(rig.signals.filter(({ type }) => type === "opened")).toHaveLength(1);
      expect(ends(rig)).toEqual([emulator.history(number).flatMap(({ messages }) => messages).length]);
    },
  );

  test("that is gone for good is given up after some tries, and nothing waits for it any more", async () => {
    const { number, rig } = await aPhone("download", { missingAfterMs: 100 });
    const { media } = emulator.world;
    const { get } = media;
    let asked = 0;
    let lost: string | null = null;
    media.get = (path) => {
      if (++asked === 4) lost = path;
      return path === lost ? undefined : get(path);
    };
    onTestFinished(() => void (media.get = get));
    await rig.connect();
    await until("the end", () => ends(rig).length > 0);
    expect(rig.lines.map(({ event }) => event)).toContain("whatsapp.history_lost");
    await until("nothing left open", async () => (await rig.store().intake.open("s1")).length === 0);
    const held = emulator.history(number).flatMap(({ messages }) => messages);
    expect(await total(rig)).toBeLessThan(held.length);
    expect(await total(rig)).toBeGreaterThan(held.length / 2);
  });
});

describe("W4: history whose last piece comes before the others are announced", () => {
  /** The eleven pieces of messages come after the first two, which bring chats and names. */
  const [FIRST, LAST] = [2, 12];
  const upTo = (end: number): number[] => Array.from({ length: end - FIRST }, (_, index) => FIRST + index);

  async function aPhoneThatSends(chunks: number[], timing: ConnectionTiming = {}) {
    const { number, rig } = await aPhone("inline", timing);
    const history = emulator.world.accounts.get(number)?.history;
    if (history === undefined) throw new Error("no such account");
    const { sendTo } = history;
    history.sendTo = (companion, chosen) => sendTo(companion, chosen ?? chunks);
    await rig.connect();
    return { number, rig };
  }

  const told = async (rig: WhatsAppRig): Promise<{ complete: unknown }[]> => {
    const rows = await rig.store().events.after({ after: 0, limit: 1000, sessions: "*" });
    const events = rows.map(({ body }) => JSON.parse(body) as HubEvent); // our own bytes
    return events.flatMap(({ event, data }) =>
      event === "history.synced" ? [{ complete: data["complete"] }] : [],
    );
  };
  const isStored = (rig: WhatsAppRig, count: number) =>
    until(`${count} pieces`, () => progress(rig).length >= count);

  test("is over when they have come, also over connections and a crash", async () => {
    const { number, rig } = await aPhoneThatSends([0, 1, LAST, FIRST]);
    await isStored(rig, 2);
    await rig.crash();
    await rig.connect();
    emulator.sendHistory({ account: number, chunks: upTo(LAST - 1).reverse() });
    await isStored(rig, 11);
    expect(await told(rig)).toEqual([]);
    emulator.sendHistory({ account: number, chunks: [LAST - 1] });
    await isWhole(rig, number);
    await until("the end", async () => (await told(rig)).length > 0);
    expect(await told(rig)).toEqual([{ complete: true }]);
  });

  test("and that comes no further is told as not complete", async () => {
    const { number, rig } = await aPhoneThatSends([0, 1, FIRST, LAST], { historyPausedAfterMs: 300 });
    await until("the pause", async () => (await told(rig)).length > 0);
    expect(await told(rig)).toEqual([{ complete: false }]);
    emulator.sendHistory({ account: number, chunks: upTo(LAST) });
    await isWhole(rig, number);
    await until("the end", async () => (await told(rig)).at(-1)?.complete === true);
  });
});

describe.each(WAYS)("W4: history that comes %s", (way) => {
  test("and is cut off again and again goes on where it was, to its end", async () => {
    const { number, rig } = await aPhone(way);
    let cuts = 0;
    const stop = emulator.on({ types: ["history.received"], account: number }, () => {
      if (cuts++ < 3) emulator.fault({ kind: "reset", account: number });
    });
    await rig.connect();
    await until("three cuts", async () => {
      if (rig.signals.at(-1)?.type === "closed") await rig.connect();
      return cuts >= 3;
    });
    stop();
    if (rig.signals.at(-1)?.type === "closed") await rig.connect();
    await isWhole(rig, number);
    expect(progress(rig).at(-1)).toMatchObject({ done: true });
  });

  test("in another order is whole all the same", async () => {
    const { number, rig } = await aPhone(way);
    await rig.open();
    const { qr } = await until("the code", () => rig.signals.find((signal) => signal.type === "qr"));
    await emulator.scanQr(qr, number);
    await until("the pairing", () => rig.signals.at(-1)?.type === "restart_required");
    await rig.open();
    // Before the device says that it is ready for the history.
    await until("the login", () => emulator.account(number).devices.some(({ connected }) => connected), {
      everyMs: 1,
    });
    emulator.fault({ kind: "reorder", account: number, order: [0, 7, 3, 5, 1, 6, 2, 4] });
    await until("the connection", () => rig.signals.at(-1)?.type === "opened");
    await isWhole(rig, number);
    expect(progress(rig).some(({ done }) => done)).toBe(true);
  });

  test("and pieces of it once more, later and backwards, change nothing", async () => {
    const { number, rig } = await aPhone(way);
    await rig.connect();
    await isWhole(rig, number);
    const before = await rig.messages();
    emulator.sendHistory({ account: number, chunks: [5, 4, 4, 3, 2, 2] });
    await until("nothing left open", async () => {
      const queued = emulator.account(number).devices.some((device) => device.queued > 0);
      return !queued && (await rig.store().intake.open("s1")).length === 0;
    });
    expect(await rig.messages()).toEqual(before);
    await isWhole(rig, number);
  });
});
