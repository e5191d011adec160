/** The main job from the first scan to the logout, in the order in which it happens to a user. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MP4, OGG_OPUS, PDF, PNG, WEBP } from "../support/sample-files.ts";
import { until } from "../support/until.ts";
import { openRoad, type Road } from "./road.ts";

let road: Road;
/** Number of the account with a history, and of one without. */
let shop = "";
let branch = "";
let people: { number: string; pushName: string }[] = [];
let group = "";

const SESSION = "shop";
const OTHER = "branch";
/** A word nobody else writes: found in the hub's output, it came out of a message. */
const WORD = "zanahoria";
const base64 = (bytes: Buffer): string => bytes.toString("base64");
const sha256 = (bytes: Buffer | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

beforeAll(async () => {
  road = await openRoad();
  const account = await road.whatsapp.createAccount({ preset: "mission", options: { readReceiptMs: 40 } });
  shop = account.number;
  group = account.groups[0]?.id ?? "";
  people = await road.whatsapp.contacts(shop);
  branch = (await road.whatsapp.createAccount({ preset: "empty" })).number;
  road.secrets.push(shop, branch, WORD, ...people.slice(0, 12).map(({ number }) => number));
}, 120_000);
afterAll(() => road.stop());

const person = (at: number): string => people[at]?.number ?? "";
const totalOf = async (path: string): Promise<number> => (await road.hub.get<{ total: number }>(path)).total;
/** Accepted webhooks of that kind about that message. */
const webhooks = (event: string, messageId?: string) =>
  road.crm
    .accepted()
    .filter((one) => one.event === event && (messageId === undefined || one.messageId === messageId));
const messageOf = (id: string): Record<string, unknown> | undefined =>
  road.crm.messages().find(({ messageId }) => messageId === id);

describe("the main road", () => {
  test("an account is linked by its QR code", { timeout: 90_000 }, async () => {
    await road.hub.post("/api/sessions", { sessionId: SESSION, sessionName: "Shop" });
    await road.hub.post(`/api/sessions/${SESSION}/connect`);
    const outcome = await road.whatsapp.scanQr(await road.qr(SESSION), shop);
    expect(outcome.outcome).toBe("paired");
    await until("connected", () => road.isConnected(SESSION), { timeoutMs: 60_000 });
    await until("session.connected at the CRM", () => webhooks("session.connected").length === 1);
  });

  test("another one by a pairing code", { timeout: 90_000 }, async () => {
    await road.hub.post("/api/sessions", { sessionId: OTHER });
    const { pairingCode } = await road.hub.post<{ pairingCode: string }>(
      `/api/sessions/${OTHER}/pairing-code`,
      {
        phoneNumber: branch,
      },
    );
    road.secrets.push(pairingCode, pairingCode.replace("-", ""));
    expect((await road.whatsapp.enterCode(pairingCode, branch)).outcome).toBe("paired");
    await until("connected", () => road.isConnected(OTHER), { timeoutMs: 60_000 });
  });

  test("all contacts, chats and messages of its history are readable", { timeout: 90_000 }, async () => {
    const totals = async () => ({
      contacts: await totalOf(`/api/contacts/${SESSION}?limit=1&isGroup=false`),
      chats: await totalOf(`/api/messages/${SESSION}/chats?limit=1`),
      messages: await totalOf(`/api/messages/${SESSION}?limit=1`),
    });
    const whole = { contacts: 327, chats: 45, messages: 985 };
    await until("the history", async () => (await totals()).messages >= whole.messages, {
      timeoutMs: 60_000,
    });
    await until("the address book", async () => (await totals()).contacts >= whole.contacts, {
      timeoutMs: 30_000,
    });
    expect(await totals()).toEqual(whole);
    expect(webhooks("message.received")).toEqual([]);
  });

  test("each kind of message reaches the CRM, signed", { timeout: 60_000 }, async () => {
    const from = person(0);
    const receive = road.whatsapp.receive;
    const text = await receive({ account: shop, from, kind: "text", text: `${WORD} hello` });
    const sent = [
      text,
      await receive({ account: shop, from, kind: "image", base64: base64(PNG), caption: WORD }),
      await receive({ account: shop, from, kind: "document", base64: base64(PDF), fileName: "list.pdf" }),
      await receive({ account: shop, from, kind: "audio", voice: true }),
      await receive({ account: shop, from, kind: "location", latitude: 40.4, longitude: -3.7 }),
      await receive({ account: shop, from, kind: "contact", name: "Ana", number: person(1) }),
      await receive({ account: shop, from, kind: "poll", question: WORD, options: ["yes", "no"] }),
      await receive({ account: shop, group, kind: "text", text: `${WORD} all`, from: await memberOfGroup() }),
      await road.whatsapp.typeOnPhone({
        account: shop,
        to: from,
        kind: "text",
        text: `${WORD} from the phone`,
      }),
    ];
    await until("all of them", () => sent.every(({ id }) => messageOf(id) !== undefined));
    expect(messageOf(text.id)).toMatchObject({
      content: `${WORD} hello`,
      from: `${from}@c.us`,
      fromMe: false,
    });
    expect(sent.map(({ id }) => messageOf(id)?.["type"])).toEqual([
      "text",
      "image",
      "document",
      expect.stringMatching(/audio|ptt|voice/),
      "location",
      "contact",
      "poll",
      "text",
      "text",
    ]);

    await receive({ account: shop, from, kind: "reaction", target: { id: text.id }, emoji: "👍" });
    await receive({ account: shop, from, kind: "edit", target: { id: text.id }, text: `${WORD} changed` });
    await until("the reaction", () => webhooks("message.reaction", text.id).length === 1);
    // Not part of what a hub's own endpoint hears: read where it is kept.
    await until("the edit", async () => {
      const { messages } = await road.hub.get<{ messages: { messageId: string; content: string }[] }>(
        `/api/messages/${SESSION}/${from}@c.us?limit=20`,
      );
      return messages.find(({ messageId }) => messageId === text.id)?.content === `${WORD} changed`;
    });
    expect(road.crm.counts()).toMatchObject({ badSignatures: 0, outOfOrder: 0 });
  });

  test("an attachment is downloaded through its short URL", { timeout: 60_000 }, async () => {
    const { id } = await road.whatsapp.receive({
      account: shop,
      from: person(2),
      kind: "image",
      base64: base64(PNG),
    });
    const message = await until("the image", () => messageOf(id));
    const { url, mimetype } = message["media"] as { url: string; mimetype: string }; // the contract's media
    expect(mimetype).toBe("image/png");
    expect(url.length).toBeLessThanOrEqual(140);
    const answer = await fetch(url);
    expect(answer.status).toBe(200);
    expect(sha256(new Uint8Array(await answer.arrayBuffer()))).toBe(sha256(PNG));
  });

  const SENDS: [kind: string, body: { type: string; message: unknown }, as: string][] = [
    ["a text", { type: "text", message: `${WORD} answer` }, "extendedTextMessage"],
    [
      "an image",
      { type: "image", message: { image: { base64: base64(PNG) }, caption: WORD } },
      "imageMessage",
    ],
    ["a video", { type: "video", message: { video: { base64: base64(MP4) } } }, "videoMessage"],
    [
      "a voice note",
      { type: "audio", message: { audio: { base64: base64(OGG_OPUS) }, ptt: true } },
      "audioMessage",
    ],
    [
      "a document",
      { type: "document", message: { document: { base64: base64(PDF), fileName: "a.pdf" } } },
      "documentMessage",
    ],
    ["a sticker", { type: "sticker", message: { sticker: { base64: base64(WEBP) } } }, "stickerMessage"],
    ["a location", { type: "location", message: { lat: 40.4, lng: -3.7 } }, "locationMessage"],
    [
      "a contact",
      { type: "contact", message: { contact: { name: "Ana", phone: "+34600111222" } } },
      "contactMessage",
    ],
    [
      "a poll",
      { type: "poll", message: { poll: { name: WORD, values: ["yes", "no"] } } },
      "pollCreationMessage",
    ],
  ];
  test.each(SENDS)(
    "%s that is sent is decrypted by its receiver, and its receipts come back",
    { timeout: 60_000 },
    async (_kind, body, as) => {
      const to = person(3);
      const { messageId } = await road.hub.post<{ messageId: string }>(`/api/messages/${SESSION}/send`, {
        to,
        ...body,
      });
      const [read] = await until("the receiver to read it", async () => {
        const found = await road.whatsapp.sent({ account: shop, id: messageId });
        return found.length > 0 ? found : null;
      });
      expect(read).toMatchObject({ readBy: to, times: 1, kind: expect.stringContaining(as) as string });
      for (const event of ["message.sent", "message.delivered", "message.read"])
        await until(event, () => webhooks(event, messageId).length === 1);
    },
  );

  test("own messages are edited, reacted to and deleted", { timeout: 60_000 }, async () => {
    const to = person(4);
    const { messageId } = await road.hub.post<{ messageId: string }>(`/api/messages/${SESSION}/send`, {
      to,
      type: "text",
      message: `${WORD} first`,
    });
    await road.hub.post(`/api/messages/${SESSION}/${messageId}/react`, { emoji: "👍" });
    await road.hub.put(`/api/messages/${SESSION}/${messageId}`, { text: `${WORD} second` });
    await road.hub.delete(`/api/messages/${SESSION}/${messageId}`);
    const kinds = async (): Promise<string[]> =>
      (await road.whatsapp.sent({ account: shop, to })).map(({ kind, edit }) =>
        `${kind} ${edit ?? ""}`.trim(),
      );
    await until("all four with the receiver", async () => (await kinds()).length === 4);
    expect(await kinds()).toEqual([
      "extendedTextMessage",
      "reactionMessage",
      expect.stringMatching(/ 1$/),
      expect.stringMatching(/ 7$/),
    ]);
  });

  test("after a restart it is connected again without a code", { timeout: 90_000 }, async () => {
    await road.restart();
    await until(
      "both sessions",
      async () => (await road.isConnected(SESSION)) && (await road.isConnected(OTHER)),
      {
        timeoutMs: 60_000,
      },
    );
    const { id } = await road.whatsapp.receive({
      account: shop,
      from: person(0),
      kind: "text",
      text: `${WORD} still there?`,
    });
    await until("a message after it", () => messageOf(id));
  });

  test(
    "a logout on the phone is told, and the next link begins with a fresh code",
    { timeout: 90_000 },
    async () => {
      const told = webhooks("session.disconnected").length;
      await road.whatsapp.unlink(shop);
      const stateOf = async () =>
        (await road.hub.get<{ state: string }>(`/api/sessions/${SESSION}/status`)).state;
      await until("the logout", async () => (await stateOf()) === "logged_out");
      await until("its webhook", () => webhooks("session.disconnected").length > told);
      await road.hub.post(`/api/sessions/${SESSION}/connect`);
      const fresh = await road.qr(SESSION);
      expect(road.secrets.indexOf(fresh)).toBe(road.secrets.length - 1);
      const outcome = await road.whatsapp.scanQr(fresh, shop);
      expect(outcome.outcome).toBe("paired");
      await until("linked again", () => road.isConnected(SESSION), { timeoutMs: 60_000 });
      expect(await totalOf(`/api/messages/${SESSION}?limit=1`)).toBeGreaterThan(985);
    },
  );

  test("WhatsApp was asked nothing that it did not know", async () => {
    const { counts, unknown } = await road.whatsapp.counters();
    expect(unknown).toEqual({});
    expect(counts).toMatchObject({ unknownQueries: 0, sentUndecryptable: 0, brokenStanzas: 0 });
  });

  test("keys, numbers, words and codes are nowhere in what the hub wrote", () => {
    const output = road.output();
    expect(output.length).toBeGreaterThan(1000);
    const found = road.secrets.filter((secret) => output.includes(secret));
    expect(found).toEqual([]);
  });
});

async function memberOfGroup(): Promise<string> {
  const { members } = await road.whatsapp.group(group);
  return members.find((member) => member !== shop) ?? "";
}
