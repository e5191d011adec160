/** The whole hub in this process: what it counts, and whom it calls. */
import "../../hub/whatsapp/signal-hardening.ts";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../hub/config.ts";
import { startHub, type Hub, type HubOverrides } from "../../hub/hub.ts";
import { createLog } from "../../hub/log.ts";
import { until } from "../support/until.ts";
import type { Emulator } from "../whatsapp/emulator.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const bed = useEmulator();

async function aMailbox(): Promise<{ url: string; letters: string[] }> {
  const letters: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData: (stream, _session, done) => {
      let text = "";
      stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
      stream.on("end", () => {
        letters.push(text);
        done();
      });
    },
  });
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  // Of a server that listens on a port.
  const { port } = server.server.address() as AddressInfo;
  return { url: `smtp://127.0.0.1:${port}`, letters };
}

interface Scene {
  emulator: Emulator;
  account: string;
  hub: Hub;
  call(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  stateIs(state: string): Promise<unknown>;
}

/** A hub with one session that is connected. */
async function aScene(env: Record<string, string>, overrides: HubOverrides = {}): Promise<Scene> {
  const emulator = bed.emulator();
  const { number: account } = emulator.createAccount({ preset: "small", size: { messages: 0 } });
  const folder = await mkdtemp(join(tmpdir(), "hub-watching-"));
  const key = "k".repeat(40);
  const config = readConfig({
    HUB_DATA_DIR: folder,
    HUB_PORT: "0",
    HUB_API_KEY: key,
    WA_WEB_SOCKET_URL: emulator.wsUrl,
    ...env,
  });
  const hub = await startHub(config, createLog("silent"), overrides);
  onTestFinished(async () => {
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const call: Scene["call"] = async (method, path, body) => {
    const response = await fetch(hub.url + path, {
      method,
      headers: { "X-API-Key": key, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // The envelope of the contract.
    return ((await response.json()) as { data: Record<string, unknown> }).data;
  };
  const stateIs = (state: string) =>
    until(`s1 to be ${state}`, async () => (await call("GET", "/api/sessions/s1"))["state"] === state);
  await call("POST", "/api/sessions", { sessionId: "s1", sessionName: "Front desk" });
  await call("POST", "/api/sessions/s1/connect", { wait: 8 });
  const { qr } = await call("GET", "/api/sessions/s1/qr");
  await emulator.scanQr(String(qr), account);
  await stateIs("connected");
  return { emulator, account, hub, call, stateIs };
}

test("a number that is unlinked on the phone is an alert; messages, sends and connections are counted", async () => {
  const mailbox = await aMailbox();
  const { emulator, account, hub, call, stateIs } = await aScene({
    HUB_SMTP_URL: mailbox.url,
    HUB_ALERT_EMAIL: "ops@example.com",
  });
  const metrics = async (): Promise<string> => (await fetch(`${hub.url}/metrics`)).text();
  const from = emulator.contacts(account)[0]?.number ?? "";
  emulator.receive({ account, from, kind: "text", text: "hola" });
  await call("POST", "/api/messages/s1/send", { to: from, type: "text", message: "buenas" });
  await until("both to be counted", async () => {
    const text = await metrics();
    return (
      text.includes('messages_total{direction="in"} 1') && text.includes('sends_total{outcome="sent"} 1')
    );
  });
  expect(await metrics()).toContain('inbox_hub_sessions{state="connected"} 1');
  expect(await metrics()).toContain('inbox_hub_session_connects_total{session="1"} 1');
  expect(await metrics()).toMatch(
    /inbox_hub_session_connect_seconds\{session="1",from="scan",quantile="0\.5"\} \d/,
  );
  expect(await metrics()).toContain('inbox_hub_load_shed_total{what="replays"} 0');
  expect(JSON.stringify(await call("GET", "/api/audit?limit=50"))).toContain(
    '"action":"logins.swept","target":null,"outcome":"done","details":{"sealed":0,"quarantined":0,"copies":0}',
  );

  emulator.unlink(account);
  await stateIs("logged_out");
  const [letter] = await until("the letter", () => (mailbox.letters.length > 0 ? mailbox.letters : null));
  expect(letter).toContain("Subject: Inbox Hub: Front desk: The number was unlinked");
  expect(letter).not.toContain(account);
  const { events } = await call("GET", "/api/events?after=0&limit=500");
  expect(JSON.stringify(events)).toContain('"cause":"logged_out"');
  expect(await call("GET", "/api/sessions/s1/figures")).toMatchObject({
    opened: 1,
    scanToConnectedMs: { count: 1 },
    lastLosses: [{ code: "401", blame: "user" }],
  });
  expect(await call("GET", "/api/sessions/s1/status")).toMatchObject({
    reason: { adviceEs: "Vuelva a vincular el número; se conservan el historial y los ajustes." },
  });
});

test("a session whose server is silent on every connection makes the hub start itself again, once", async () => {
  const ends: Date[] = [];
  const { emulator, account, call } = await aScene(
    {},
    {
      endProcess: () => ends.push(new Date()),
      watch: { lookMs: 40, lateMs: 1_000, pingMs: 250, pingTimeoutMs: 150, stepMs: 400 },
    },
  );
  emulator.fault({ kind: "iq", account, xmlns: "w:p", drop: true, count: null });
  await until("the end of the process", () => ends.length > 0);
  const { entries } = await call("GET", "/api/sessions/s1/timeline");
  const told = JSON.stringify(entries);
  for (const step of ["What was held back", "A new connection", "A second new", "starts itself again"])
    expect(told).toContain(step);
  await until("the end of the cure", async () =>
    JSON.stringify(await call("GET", "/api/sessions/s1")).includes("not_cured"),
  );
  expect(ends).toHaveLength(1);
  emulator.clearFaults();
  await until("to be well", async () => (await call("GET", "/api/sessions/s1"))["state"] === "connected");
});

test("a storm of messages that cannot be decrypted is one alert, a line of the timeline, and numbers", async () => {
  const { emulator, account, hub, call } = await aScene({});
  const from = emulator.contacts(account)[0]?.number ?? "";
  emulator.receive({ account, from, kind: "text", text: "good" });
  // An answer makes their session with this device a settled one.
  await call("POST", "/api/messages/s1/send", { to: from, type: "text", message: "good as well" });
  emulator.fault({ kind: "phone-silent", account, count: null });
  emulator.fault({ kind: "ignore-retry", account, count: null });
  for (let n = 0; n < 30; n++) {
    emulator.fault({ kind: "corrupt", account });
    emulator.receive({ account, from, kind: "text", text: `bad ${n}` });
  }
  const events = async (): Promise<string> =>
    JSON.stringify(await call("GET", "/api/events?after=0&limit=500"));
  await until("the alert", async () => (await events()).includes('"cause":"messages_unreadable"'));
  expect((await events()).match(/"cause":"messages_unreadable"/g)).toHaveLength(1);
  expect(await events()).toContain("Muchos mensajes de esta sesi");
  const { entries } = await call("GET", "/api/sessions/s1/timeline");
  expect(JSON.stringify(entries)).toMatch(
    /"type":"unreadable_storm","text":"20 messages could not be decrypted/,
  );
  const metrics = async (): Promise<string> => (await fetch(`${hub.url}/metrics`)).text();
  const counted = 'inbox_hub_session_undecrypted_total{session="1",kind="bad_mac"} 30';
  await until("the figures", async () => (await metrics()).includes(counted));
  expect(await call("GET", "/api/sessions/s1/figures")).toMatchObject({
    unreadable: { messages: 30, byKind: { bad_mac: 30 }, cameAfterAll: 0, storms: 1 },
  });
}, 40_000);
