/** M4: a hub killed while it sends. Whatever the moment: one message at its receiver, and one truth in the hub. */
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { createHubClient, type HubClient } from "../support/hub-client.ts";
import { newApiKey, startHubProcess, type HubProcess } from "../support/hub-process.ts";
import { until } from "../support/until.ts";
import { startEmulator } from "../whatsapp/emulator.ts";
import { TRUST_PRELOAD } from "../whatsapp/spawn.ts";

const TSX = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

async function aLinkedHub(settings: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-m4-"));
  const emulator = await startEmulator();
  const apiKey = newApiKey();
  let hub: HubProcess | null = null;
  const start = async (): Promise<HubClient> => {
    hub = await startHubProcess({
      dataDir: join(folder, "data"),
      apiKey,
      env: { WHATSAPP_EMULATOR_URL: emulator.url, WA_WEB_SOCKET_URL: emulator.wsUrl, ...settings },
      nodeOptions: ["--import", TRUST_PRELOAD, "--import", TSX],
      entry: "hub/main.ts",
    });
    return createHubClient(hub);
  };
  onTestFinished(async () => {
    await hub?.kill();
    await emulator.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const connected = (client: HubClient) =>
    until(
      "s1 is connected",
      async () => (await client.get<{ isConnected: boolean }>("/api/sessions/s1")).isConnected,
    );

  const client = await start();
  const { number } = emulator.createAccount({ preset: "small" });
  await client.post("/api/sessions", { sessionId: "s1" });
  await client.post("/api/sessions/s1/connect");
  const { qr } = await client.get<{ qr: string }>("/api/sessions/s1/qr");
  await emulator.scanQr(qr, number);
  await connected(client);
  const [person] = emulator.contacts(number);
  if (person === undefined) throw new Error("nobody to write to");
  return {
    emulator,
    account: number,
    to: person.number,
    client,
    kill: () => hub?.kill("SIGKILL"),
    restart: async () => {
      const again = await start();
      await connected(again);
      return again;
    },
  };
}

type Rig = Awaited<ReturnType<typeof aLinkedHub>>;
interface Sent {
  messageId: string;
  status: string;
}

const order = ({ to }: Rig, text: string) => ({ to, type: "text", message: text });
const send = (client: HubClient, rig: Rig, text: string) =>
  client.post<Sent>("/api/messages/s1/send", order(rig, text), {
    "Idempotency-Key": text.replaceAll(" ", "-"),
  });
const arrived = ({ emulator }: Rig, text: string) =>
  emulator.sent().filter((message) => message.text === text);
const statusIn = async (client: HubClient, { to }: Rig, id: string) => {
  const { messages } = await client.get<{ messages: { messageId: string; status: string }[] }>(
    `/api/messages/s1/${to}?limit=100`,
  );
  return messages.filter(({ messageId }) => messageId === id).map(({ status }) => status);
};

test("M4: killed in the tick in which the receiver gets it, before any acknowledgement: still one message, one id", async () => {
  const rig = await aLinkedHub();
  rig.emulator.fault({ kind: "ack-drop", count: 1 });
  const dead = new Promise<void>((resolve) => {
    rig.emulator.on({ types: ["sent"] }, () => void rig.kill()?.then(resolve));
  });
  const broken = send(rig.client, rig, "one order").catch((error: unknown) => error);
  await dead;
  expect(await broken).toBeInstanceOf(Error);

  const client = await rig.restart();
  const again = await send(client, rig, "one order");
  expect(new Set(arrived(rig, "one order").map(({ id }) => id))).toEqual(new Set([again.messageId]));
  await until("a receipt proves it", async () => {
    const [status] = await statusIn(client, rig, again.messageId);
    return status === "delivered" || status === "read";
  });
  expect(await statusIn(client, rig, again.messageId)).toHaveLength(1);
}, 120_000);

test("M4: killed before it left: the next life sends it by itself, in the order of its chat", async () => {
  const rig = await aLinkedHub();
  rig.emulator.fault({ kind: "reject-upgrade", count: null });
  rig.emulator.fault({ kind: "close" });
  await until("the connection is gone", () =>
    rig.emulator.account(rig.account).devices.every(({ online }) => !online),
  );
  const queue = async (text: string) =>
    rig.client.post<Sent>("/api/messages/s1/send", { ...order(rig, text), queue: true });
  const accepted = [await queue("first"), await queue("second")];
  expect(accepted.map(({ status }) => status)).toEqual(["pending", "pending"]);
  await rig.kill();

  rig.emulator.clearFaults();
  const client = await rig.restart();
  await until("both arrived", () => arrived(rig, "second").length > 0);
  const texts = rig.emulator.sent().filter(({ text }) => text === "first" || text === "second");
  expect(texts.map(({ id, text, times }) => [id, text, times])).toEqual([
    [accepted[0]?.messageId, "first", 1],
    [accepted[1]?.messageId, "second", 1],
  ]);
  await until("WhatsApp's word came", async () => {
    const [status] = await statusIn(client, rig, accepted[1]?.messageId ?? "");
    return status !== "pending";
  });
}, 120_000);

test("M4: killed while messages wait for their turn: each leaves once, in order, at the account's pace", async () => {
  const settings = { HUB_SEND_PER_MINUTE: "5", HUB_SEND_BURST: "2" };
  const rig = await aLinkedHub(settings);
  const texts = ["one", "two", "three", "four", "five"];
  const accepted: Sent[] = [];
  for (const text of texts)
    accepted.push(await rig.client.post<Sent>("/api/messages/s1/send", { ...order(rig, text), queue: true }));
  expect(accepted.map(({ status }) => status)).toEqual(["sent", "sent", "pending", "pending", "pending"]);
  await rig.kill();
  expect(texts.filter((text) => arrived(rig, text).length > 0)).toEqual(["one", "two"]);

  settings.HUB_SEND_PER_MINUTE = "120";
  const client = await rig.restart();
  await until("all arrived", () => arrived(rig, "five").length > 0);
  const sent = rig.emulator.sent().filter(({ text }) => texts.includes(text ?? ""));
  expect(sent.map(({ id, text }) => [id, text])).toEqual(
    texts.map((text, n) => [accepted[n]?.messageId, text]),
  );
  await until("WhatsApp's word came", async () => {
    const [status] = await statusIn(client, rig, accepted[4]?.messageId ?? "");
    return status !== "pending";
  });
}, 120_000);
