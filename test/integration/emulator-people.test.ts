/** What people and phones do besides writing: call, type, change their names, pictures, phones and groups. */
import { proto, WAMessageStubType, type BaileysEventMap } from "@whiskeysockets/baileys";
import { describe, expect, test } from "vitest";
import type { BareSocket } from "../whatsapp/bare-socket.ts";
import { eventually, textsOf, useEmulator } from "../whatsapp/test-bed.ts";

const { emulator, link, open } = useEmulator();

/** Everything the socket tells under that name. */
function listen<Name extends keyof BaileysEventMap>(
  { sock }: BareSocket,
  name: Name,
): BaileysEventMap[Name][] {
  const heard: BaileysEventMap[Name][] = [];
  sock.ev.on(name, (event) => heard.push(event));
  return heard;
}
const contact = () => {
  const [first] = emulator().contacts();
  return { number: first?.number ?? "", pn: `${first?.number}@s.whatsapp.net`, lid: `${first?.lid}@lid` };
};

describe("contacts", () => {
  test("come online, type, and go", async () => {
    const socket = await link();
    const heard = listen(socket, "presence.update");
    for (const state of ["available", "composing", "unavailable"] as const)
      emulator().showPresence({ state });
    await eventually(() =>
      heard.flatMap(({ presences }) => Object.values(presences).map((one) => one.lastKnownPresence)),
    ).toEqual(["available", "composing", "unavailable"]);
  });

  test("call, and hang up when nobody answers", async () => {
    const socket = await link();
    const calls = listen(socket, "call");
    const { id } = emulator().call({ video: true });
    emulator().call({ id, event: "timeout" });
    await eventually(() => calls.flat().map(({ status, isVideo }) => [status, isVideo])).toEqual([
      ["offer", true],
      ["timeout", true],
    ]);
    await eventually(() => emulator().account().devices[0]?.queued).toBe(0);
    await socket.sock.rejectCall(id, contact().lid);
  });

  test("get another name in the address book", async () => {
    const socket = await link();
    const upserts = listen(socket, "contacts.upsert");
    emulator().changeContact(undefined, contact().number, { name: "Nombre Nuevo" });
    await eventually(() => upserts.flat().map(({ id, name }) => [id, name])).toContainEqual([
      contact().pn,
      "Nombre Nuevo",
    ]);
  });

  test("change their picture", async () => {
    const socket = await link();
    const before = await socket.sock.profilePictureUrl(contact().pn);
    const updates = listen(socket, "contacts.update");
    emulator().changeContact(undefined, contact().number, { picture: "new" });
    await eventually(() => updates.flat().some(({ imgUrl }) => imgUrl === "changed")).toBe(true);
    expect(await socket.sock.profilePictureUrl(contact().pn)).not.toBe(before);
  });

  test("get a new phone: what they write from it is read, and what they are sent is too", async () => {
    const socket = await link();
    emulator().receive({ kind: "text", text: "from the old phone" });
    await socket.until("the first", () => textsOf(socket).includes("from the old phone"));
    emulator().changeContact(undefined, contact().number, { reinstalled: true });
    await eventually(() => emulator().account().devices[0]?.queued).toBe(0);

    emulator().receive({ kind: "text", text: "from the new phone" });
    await socket.until("the second", () => textsOf(socket).includes("from the new phone"));
    await socket.sock.sendMessage(contact().lid, { text: "hola" });
    await eventually(() =>
      emulator()
        .sent()
        .map(({ text }) => text),
    ).toEqual(["hola"]);
  });

  test("upload an attachment again when it is gone from the servers", async () => {
    const socket = await link();
    const { id } = emulator().receive({ kind: "image" });
    const found = await socket.until("the image", () =>
      socket.messages.find(({ message }) => message.key.id === id),
    );
    const updated = await socket.sock.updateMediaMessage(found.message);
    expect(updated.message?.imageMessage?.directPath).toBeTruthy();
  });

  test("trust the account when it trusts them, and are sent their token", async () => {
    const socket = await link();
    await socket.sock.sendMessage(contact().lid, { text: "one" });
    await eventually(
      async () =>
        (await socket.credentials.keys.get("tctoken", [contact().lid]))[contact().lid]?.token.length,
    ).toBe(16);
  });
});

describe("groups", () => {
  test("come into being, change and lose members, and the socket is told", async () => {
    const socket = await link();
    const { number } = emulator().account();
    const created = listen(socket, "groups.upsert");
    const { id, jid } = emulator().createGroup({ subject: "Ventas", members: [contact().number, number] });
    await eventually(() => created.flat().map(({ subject }) => subject)).toEqual(["Ventas"]);

    const other = emulator().contacts()[1]?.number ?? "";
    emulator().changeGroup(id, { subject: "Ventas 2", add: [other], promote: [other] });
    emulator().changeGroup(id, { remove: [other] });

    const stubs = () =>
      socket.messages
        .filter(({ message }) => message.key.remoteJid === jid)
        .map(({ message }) => message.messageStubType);
    await eventually(stubs).toEqual([
      WAMessageStubType.GROUP_CREATE,
      WAMessageStubType.GROUP_CHANGE_SUBJECT,
      WAMessageStubType.GROUP_PARTICIPANT_ADD,
      WAMessageStubType.GROUP_PARTICIPANT_PROMOTE,
      WAMessageStubType.GROUP_PARTICIPANT_REMOVE,
    ]);
    expect((await socket.sock.groupMetadata(jid)).participants).toHaveLength(2);
  });

  test("after a member left, the others' messages are still read", async () => {
    const socket = await link();
    const { id, members } = emulator().group(emulator().account().groups[0]?.id ?? "");
    const [first, second] = members.filter((member) => member !== emulator().account().number);
    emulator().receive({ from: first, group: id, kind: "text", text: "before" });
    emulator().changeGroup(id, { by: first, remove: [second ?? ""] });
    emulator().receive({ from: first, group: id, kind: "text", text: "after" });
    await socket.until("both", () => textsOf(socket).includes("after"));
    expect(emulator().ledgerSummary().retries).toBe(0);
  });
});

describe("the phone", () => {
  test("hands its history over again, in any order", async () => {
    const { number } = emulator().createAccount({ preset: "small", options: { historyChunk: 5 } });
    const socket = await link(number);
    const sets = listen(socket, "messaging-history.set");
    emulator().sendHistory({ chunks: [3, 2, 2] });
    await eventually(() => sets.map(({ chunkOrder }) => chunkOrder)).toEqual([2, 1, 1]);
  });

  test("hands older messages over on demand", async () => {
    const { number } = emulator().createAccount({ preset: "small", size: { archivedPerChat: 5 } });
    const socket = await link(number);
    const sets = listen(socket, "messaging-history.set");
    const [chat] = emulator().history(number);
    const oldest = chat?.messages.at(-1);
    if (!chat || !oldest) throw new Error("an empty chat");

    const { id, fromMe, at } = oldest;
    await socket.sock.fetchMessageHistory(3, { remoteJid: chat.jid, id, fromMe }, at * 1000);

    await eventually(() => sets.flatMap(({ syncType, messages }) => messages.map(() => syncType))).toEqual(
      Array.from({ length: 3 }, () => proto.HistorySync.HistorySyncType.ON_DEMAND),
    );
  });
});

describe("the server", () => {
  test("may leave the offline batch open", async () => {
    const socket = await link();
    await socket.end();
    emulator().fault({ kind: "no-offline-end" });
    emulator().receive({ kind: "text", text: "hola" });
    const again = open({ credentials: socket.credentials });
    await again.until("the login", () => again.states.includes("open"));
    await eventually(() => emulator().ledgerSummary().receipted).toBe(1);
    expect(textsOf(again)).toEqual([]);
  });

  test("sends any stanza there is", async () => {
    const socket = await link();
    const { id } = emulator().receive({ kind: "text", text: "before" });
    await socket.until("the first", () => textsOf(socket).includes("before"));
    emulator().sendStanza({
      queued: true,
      stanza: {
        tag: "message",
        attrs: { from: contact().lid, sender_pn: contact().pn, id: `${id}0`, t: "1", type: "text" },
        content: [{ tag: "unavailable", attrs: { type: "view_once" } }],
      },
    });
    await socket.until("the stanza", () => socket.messages.some(({ message }) => message.key.isViewOnce));
    await eventually(() => emulator().account().devices[0]?.queued).toBe(0);
  });

  test("restricts an account and lets it go again", async () => {
    const socket = await link();
    const heard: (boolean | undefined)[] = [];
    socket.sock.ev.on("connection.update", ({ reachoutTimeLock }) => {
      if (reachoutTimeLock) heard.push(reachoutTimeLock.isActive);
    });
    emulator().restrict({ timelock: { until: 1_900_000_000 }, newChats: { total: 10, used: 10 } });
    await eventually(() => heard).toEqual([true]);
    expect(await socket.sock.fetchNewChatMessageCap()).toMatchObject({ total_quota: 10, used_quota: 10 });

    emulator().restrict({ timelock: null });
    await eventually(() => heard).toEqual([true, false]);
  });

  test("tells a socket that its prekeys run low", async () => {
    await link();
    const { world } = emulator();
    const companion = [...(world.accounts.values().next().value?.companions.values() ?? [])][0];
    companion?.preKeys.splice(5);
    emulator().receive({ from: "99933330001", kind: "text", text: "takes one" });
    await eventually(() => companion?.preKeys.length).toBeGreaterThan(5);
  });

  test("forgets what it wrote down when it is told to, but not the links", async () => {
    await link();
    emulator().receive({ kind: "text", text: "hola" });
    await eventually(() => emulator().ledgerSummary().receipted).toBe(1);
    emulator().clear();
    expect(emulator().ledgerSummary().queued).toBe(0);
    expect(emulator().account().devices).toHaveLength(1);
  });
});
