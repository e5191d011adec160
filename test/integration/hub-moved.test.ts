/** What the hub makes of a session that changes: sending and those who call people hear of it, each for its own reason. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../hub/config.ts";
import type { SessionSignal } from "../../hub/core/whatsapp.ts";
import { startHub } from "../../hub/hub.ts";
import { createLog } from "../../hub/log.ts";
import { createHubClient } from "../support/hub-client.ts";
import { createPuppetLink, type PuppetLink } from "../support/puppet-link.ts";
import { until } from "../support/until.ts";

const API_KEY = "k".repeat(40);

test("an account that WhatsApp unlinks calls people; deleted, its name comes back without what WhatsApp forbade it", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "hub-moved-"));
  const config = readConfig({ HUB_DATA_DIR: dataDir, HUB_PORT: "0", HUB_API_KEY: API_KEY });
  const seen: { puppet: PuppetLink; says: (signal: SessionSignal) => void }[] = [];
  const hub = await startHub(config, createLog("silent"), {
    connector: ({ record }) => ({
      open: (sessionId, says) => {
        const puppet = createPuppetLink((_session, facts) => record({ sessionId, facts, closes: [] }));
        seen.push({ puppet, says });
        return Promise.resolve(puppet.link(sessionId));
      },
      forget: () => undefined,
      isPaired: () => Promise.resolve(true),
      retireCredentials: () => Promise.resolve(),
    }),
  });
  onTestFinished(async () => {
    await hub.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  const client = createHubClient({ url: hub.url, apiKey: API_KEY });
  const restricted = async (): Promise<unknown> =>
    (await client.get<{ sending: { restricted: unknown } }>("/api/sessions/s1")).sending.restricted;

  await client.post("/api/sessions", { sessionId: "s1" });
  await client.post("/api/sessions/s1/connect");
  const { puppet, says } = await until("a connection", () => seen[0] ?? null);
  says({ type: "opened", phoneNumber: "34600999888", lid: null, pushName: null });
  puppet.word = { code: "463" };
  const message = { to: "34600333001", type: "text", message: "hola" };
  await until("the link", () =>
    client.get<{ isConnected: boolean }>("/api/sessions/s1/status").then(({ isConnected }) => isConnected),
  );
  await expect(client.post("/api/messages/s1/send", message)).rejects.toMatchObject({
    code: "RECIPIENT_RESTRICTED",
  });
  expect(await restricted()).not.toBeNull();

  says({ type: "closed", code: 401, detail: "", paired: true });
  await until("people to be called", async () => {
    const { events } = await client.get<{ events: { event: string }[] }>("/api/events?after=0&limit=500");
    return events.some(({ event }) => event === "session.alert");
  });

  await client.delete("/api/sessions/s1");
  await client.post("/api/sessions", { sessionId: "s1" });
  await until("it to be forgotten", async () => (await restricted()) === null);
});
