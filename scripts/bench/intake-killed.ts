/**
 * What `kill -9` in the middle of a burst costs: messages that WhatsApp was told have arrived, and that no CRM ever saw. WhatsApp
 * gives none of them again. The hub is started again and given all the time it needs; bare Baileys has nothing to begin from.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecret } from "../../hub/contract/signature.ts";
import { createHubClient } from "../../test/support/hub-client.ts";
import { newApiKey, startHubProcess, type HubProcess } from "../../test/support/hub-process.ts";
import { freePort } from "../../test/support/product-process.ts";
import { until } from "../../test/support/until.ts";
import type { SpawnedEmulator } from "../../test/whatsapp/spawn.ts";
import { startBare } from "./bare-client.ts";
import { linkSession } from "./stand.ts";

const BURST = { count: 1000, perSecond: 0, contacts: 20, groupShare: 0 };
const PATIENCE_MS = 60_000;

/** Messages that were acknowledged and never posted, of {@link BURST} each. */
export async function lostByKill(emulator: SpawnedEmulator): Promise<{ hub: number; bare: number }> {
  return { bare: await bareLoss(emulator), hub: await hubLoss(emulator) };
}

async function bareLoss(emulator: SpawnedEmulator): Promise<number> {
  const receiver = await rememberingReceiver();
  const { number: account } = await emulator.createAccount({ preset: "small" });
  const bare = await startBare(emulator, { accounts: [account], postTo: receiver.url });
  try {
    await halfWay(emulator, account);
  } finally {
    await bare.stop("SIGKILL");
  }
  try {
    // What it had sent off before it died may still be on its way in.
    await receiver.atRest();
    return await lostOf(emulator, account, receiver);
  } finally {
    receiver.stop();
  }
}

async function hubLoss(emulator: SpawnedEmulator): Promise<number> {
  const receiver = await rememberingReceiver();
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-bench-killed-"));
  const [apiKey, port] = [newApiKey(), await freePort()];
  const start = (): Promise<HubProcess> =>
    startHubProcess({
      dataDir: join(folder, "data"),
      apiKey,
      port,
      env: { ...emulator.environment, HUB_WEBHOOK_URL: receiver.url, HUB_WEBHOOK_SECRET: makeSecret() },
      nodeOptions: emulator.preload,
    });
  let hub = await start();
  try {
    const { number: account } = await emulator.createAccount({ preset: "small" });
    await linkSession(emulator, { client: createHubClient(hub) }, { sessionId: "killed", account });
    const burst = await halfWay(emulator, account);
    await hub.kill("SIGKILL");
    hub = await start();
    await until("the burst over", async () => (await emulator.burst(burst)).finished, {
      timeoutMs: PATIENCE_MS,
    });
    const ids = (await emulator.ledger({ account })).map(({ id }) => id);
    await until("all messages with the CRM", () => ids.every((id) => receiver.received().has(id)), {
      timeoutMs: PATIENCE_MS,
    }).catch(() => undefined); // what is missing is what is counted
    return await lostOf(emulator, account, receiver);
  } finally {
    await hub.kill("SIGKILL");
    receiver.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Settles in the middle of a burst, by what WhatsApp was told has arrived; which burst it is. */
async function halfWay(emulator: SpawnedEmulator, account: string): Promise<number> {
  const { id } = await emulator.startBurst({ ...BURST, accounts: [account] });
  await until(
    "half of the burst acknowledged",
    async () => (await emulator.ledgerSummary(account)).receipted >= BURST.count / 2,
    { timeoutMs: PATIENCE_MS, everyMs: 2 },
  );
  return id;
}

async function lostOf(
  emulator: SpawnedEmulator,
  account: string,
  { received }: Pick<RememberingReceiver, "received">,
): Promise<number> {
  const seen = received();
  const told = (await emulator.ledger({ account })).filter(({ receiptedAt }) => receiptedAt !== undefined);
  return told.filter(({ id }) => !seen.has(id)).length;
}

interface RememberingReceiver {
  url: string;
  /** Ids of the messages posted so far, each once. */
  received(): Set<string>;
  /** Settles when all that was begun has been read. */
  atRest(): Promise<void>;
  stop(): void;
}

/** A hub's body names a message's id, that of the bare client is Baileys' own message. */
const MESSAGE_ID = /"(?:whatsappMessageId|id)":"([^"]+)"/g;

async function rememberingReceiver(): Promise<RememberingReceiver> {
  const ids = new Set<string>();
  let connections = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      for (const [, id = ""] of Buffer.concat(chunks).toString("utf8").matchAll(MESSAGE_ID)) ids.add(id);
      response.writeHead(200).end();
    });
  });
  server.on("connection", (socket) => {
    connections += 1;
    socket.once("close", () => (connections -= 1));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, // a TCP server that listens has one
    received: () => ids,
    atRest: async () => {
      await until("no connection left", () => connections === 0, { timeoutMs: PATIENCE_MS });
    },
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
