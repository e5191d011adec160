/** What a phone hands to a device that was just linked: chats, messages, names, and which numbers hide behind which LIDs. */
import type { BaileysEventMap } from "@whiskeysockets/baileys";
import { describe, expect, test } from "vitest";
import type { BareSocket } from "../whatsapp/bare-socket.ts";
import { makeDataset, PRESETS } from "../whatsapp/holdings/dataset.ts";
import type { NewAccountRequest } from "../whatsapp/operations/accounts.ts";
import { linkBareSocket, openBareSocket } from "../whatsapp/bare-socket.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const { emulator } = useEmulator();

interface Taken {
  chats: Set<string>;
  messages: Set<string>;
  contacts: Map<string, string>;
  pushNames: Map<string, string>;
}

/** Links a socket and collects everything until the app state names and all messages are there. */
async function takeOver(request: NewAccountRequest): Promise<Taken> {
  const account = emulator().createAccount(request);
  const taken: Taken = { chats: new Set(), messages: new Set(), contacts: new Map(), pushNames: new Map() };
  const onHistory = ({ chats, messages, contacts }: BaileysEventMap["messaging-history.set"]) => {
    for (const { id } of chats) if (id) taken.chats.add(id);
    for (const { key } of messages) if (key.id) taken.messages.add(key.id);
    for (const { id, name, notify } of contacts) {
      if (notify) taken.pushNames.set(id, notify);
      // Names of the address book are folded into history when both call the contact the same.
      if (name && !id.endsWith("@g.us")) taken.contacts.set(id, name);
    }
  };
  const socket: BareSocket = await linkBareSocket({
    wsUrl: emulator().wsUrl,
    scan: (qr) => emulator().scanQr(qr, account.number),
    config: { shouldSyncHistoryMessage: () => true },
    open: (options) => {
      const opened = openBareSocket(options);
      opened.sock.ev.on("messaging-history.set", onHistory);
      opened.sock.ev.on("contacts.upsert", (contacts) => {
        for (const { id, name } of contacts) if (name) taken.contacts.set(id, name);
      });
      return opened;
    },
  });
  await socket.until(
    "everything",
    () => taken.messages.size >= account.messages && taken.contacts.size >= account.contacts,
  );
  await socket.end();
  return taken;
}

test("the mission's account is the same in every run: 327 contacts, 45 chats, 985 messages", () => {
  const request = { seed: "emulator", number: "99955500001", size: PRESETS.mission, until: 1_800_000_000 };
  const once = makeDataset(request);

  expect(once.contacts).toHaveLength(327);
  expect(once.chats).toHaveLength(45);
  expect(once.chats.flatMap(({ messages }) => messages)).toHaveLength(985);
  expect(new Set(once.chats.flatMap(({ messages }) => messages.map(({ id }) => id))).size).toBe(985);
  expect(new Set(once.contacts.map(({ name }) => name)).size).toBe(327);
  expect(makeDataset(request)).toEqual(once);
});

describe("taking over an account", () => {
  test("history inside the messages: every chat, message and name arrives once", async () => {
    const taken = await takeOver({ preset: "mission" });
    expect({ chats: taken.chats.size, messages: taken.messages.size, contacts: taken.contacts.size }).toEqual(
      {
        chats: 45,
        messages: 985,
        contacts: 327,
      },
    );
    expect(taken.pushNames.size).toBe(327);
  });

  test("history and app state as downloads, contacts by phone number", async () => {
    const taken = await takeOver({
      preset: "mission",
      options: { history: "download", appState: "snapshot", addressing: "pn", historyChunk: 200 },
    });
    expect({ chats: taken.chats.size, messages: taken.messages.size, contacts: taken.contacts.size }).toEqual(
      {
        chats: 45,
        messages: 985,
        contacts: 327,
      },
    );
    expect([...taken.chats].filter((id) => id.endsWith("@lid"))).toEqual([]);
    expect(emulator().counters().counts.mediaDownloads).toBeGreaterThan(5);
  });

  test("the last part may come as full history", async () => {
    const taken = await takeOver({
      preset: "small",
      size: { messages: 60, fullMessages: 30 },
      options: { historyChunk: 10 },
    });
    expect(taken.messages.size).toBe(60);
  });

  test("a number behind a LID can be asked for", async () => {
    const account = emulator().createAccount({ preset: "small" });
    const socket = await linkBareSocket({
      wsUrl: emulator().wsUrl,
      scan: (qr) => emulator().scanQr(qr, account.number),
    });
    const [contact] = emulator().contacts(account.number);
    await socket.until("the mapping", () => socket.credentials.creds.accountSyncCounter > 0);

    const pn = await socket.sock.signalRepository.lidMapping.getPNForLID(`${contact?.lid}@lid`);

    expect(pn).toBe(`${contact?.number}:0@s.whatsapp.net`);
    await socket.end();
  });
});
