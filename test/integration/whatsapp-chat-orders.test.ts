/** Orders about chats and people, and older history, through an unmodified Baileys: what the phone and the server make of them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWhatsAppRig, type WhatsAppRig } from "../support/whatsapp-rig.ts";
import { until } from "../support/until.ts";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import { trustEmulator } from "../whatsapp/trust.ts";

let emulator: Emulator;
let rig: WhatsAppRig;
let account: string;
let ana: { number: string; lid: string };

beforeAll(async () => {
  emulator = await startEmulator();
  await trustEmulator(emulator);
  const created = emulator.createAccount({ preset: "small", size: { archivedPerChat: 5 } });
  account = created.number;
  rig = await openWhatsAppRig(emulator, { number: account });
  await rig.connect();
  await until("the history is stored", async () => (await rig.store().intake.open("s1")).length === 0);
  const [first] = emulator.contacts(account);
  if (first === undefined) throw new Error("the account knows nobody");
  ana = first;
});
afterAll(async () => {
  await rig.stop();
  expect(emulator.counters().unknown).toEqual({});
  await emulator.stop();
});

const chatId = (): string => `${ana.number}@s.whatsapp.net`;

/** What the phone keeps in its synced state about Ana's chat. */
function synced(collection: string, action: string) {
  const entries = [...(emulator.world.accounts.get(account)?.appState.entries(collection).values() ?? [])];
  const isAna = (jid = ""): boolean => [ana.number, ana.lid.split("@")[0]].includes(jid.split("@")[0]);
  return entries.find(({ index }) => index[0] === action && isAna(index[1]))?.value;
}

test("the phone's own state follows: archive, pin and mute", async () => {
  const newest = await until("a message of the history", async () => {
    const query = { sessionId: "s1", chatId: chatId(), order: "desc", page: 1, limit: 1 } as const;
    return (await rig.store().inbox.messages(query)).items[0];
  });
  await rig.link().changeChat(chatId(), { kind: "archive", value: true, newest });
  expect(synced("regular_low", "archive")?.archiveChatAction).toMatchObject({ archived: true });
  await rig.link().changeChat(chatId(), { kind: "archive", value: false, newest: null });
  expect(synced("regular_low", "archive")?.archiveChatAction).toMatchObject({ archived: false });
  await rig.link().changeChat(chatId(), { kind: "pin", value: true });
  expect(synced("regular_low", "pin_v1")?.pinAction).toMatchObject({ pinned: true });
  await rig.link().changeChat(chatId(), { kind: "mute", until: 1_900_000_000 });
  expect(Number(synced("regular_high", "mute")?.muteAction?.muteEndTimestamp)).toBe(1_900_000_000_000);
  await rig.link().changeChat(chatId(), { kind: "mute", until: 0 });
  expect(synced("regular_high", "mute")?.muteAction).toMatchObject({ muted: false });
});

test("a change survives a reconnect: the next one builds on the same version", async () => {
  await rig.connect();
  await rig.link().changeChat(chatId(), { kind: "pin", value: false });
  expect(synced("regular_low", "pin_v1")?.pinAction).toMatchObject({ pinned: false });
});

test("people are blocked and unblocked at WhatsApp", async () => {
  const blocked = () => [...(emulator.world.accounts.get(account)?.blocked ?? [])];
  await rig.link().block(chatId(), true);
  expect(blocked()).toEqual([ana.number]);
  await rig.link().block(chatId(), false);
  expect(blocked()).toEqual([]);
});

test("typing is shown to the other side", async () => {
  const after = emulator.lastEvent();
  await rig.link().showTyping(chatId(), "composing");
  const [shown] = await emulator.waitFor({ types: ["presence"], after, timeoutMs: 5000 });
  expect(shown?.detail).toMatchObject({ state: "composing" });
});

test("older messages come as history when asked for, and the phone says when there are no more", async () => {
  const { inbox } = rig.store();
  const count = async () =>
    (await inbox.messages({ sessionId: "s1", chatId: chatId(), order: "asc", page: 1, limit: 1 })).total;
  expect(await inbox.coverage("s1")).toMatchObject({ complete: true });
  expect((await inbox.coverage("s1")).chatsWithOlder).toBeGreaterThan(0);
  const before = await count();
  const ask = async (messages: number) => {
    const [place] = await inbox.beginnings({ sessionId: "s1", chatId: chatId(), limit: 1 });
    if (place === undefined) throw new Error("nothing to ask for");
    await rig.link().requestHistory(place, messages);
  };
  await ask(3);
  await until("three older messages", async () => (await count()) === before + 3);
  await ask(50);
  await until("all older messages", async () => (await count()) === before + 5);
  await until(
    "nothing older",
    async () => (await inbox.beginnings({ sessionId: "s1", chatId: chatId(), limit: 1 })).length === 0,
  );
});
