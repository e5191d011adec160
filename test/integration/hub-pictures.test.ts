/** The whole hub in this process: who is read gets picture and about from WhatsApp, and CRMs hear of it. */
import "../../hub/whatsapp/signal-hardening.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { readConfig } from "../../hub/config.ts";
import { eventSchema } from "../../hub/contract/events.ts";
import { startHub } from "../../hub/hub.ts";
import { createLog } from "../../hub/log.ts";
import { until } from "../support/until.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const bed = useEmulator();
const answerSchema = z.looseObject({ data: z.record(z.string(), z.unknown()) });

/** A hub with an account linked to it; `restart` gives the process an end and a new beginning on its folder. */
async function linkedHub(account: string) {
  const emulator = bed.emulator();
  const folder = await mkdtemp(join(tmpdir(), "hub-pictures-"));
  const key = "k".repeat(40);
  const config = readConfig({
    HUB_DATA_DIR: folder,
    HUB_PORT: "0",
    HUB_API_KEY: key,
    WA_WEB_SOCKET_URL: emulator.wsUrl,
  });
  let hub = await startHub(config, createLog("silent"));
  onTestFinished(async () => {
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const call = async (path: string, body?: object) => {
    const response = await fetch(hub.url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { "X-API-Key": key, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answerSchema.parse(await response.json()).data;
  };
  await call("/api/sessions", { sessionId: "s1" });
  await call("/api/sessions/s1/connect", { wait: 8 });
  await emulator.scanQr(String((await call("/api/sessions/s1/qr"))["qr"]), account);
  await until("s1 to be connected", async () => (await call("/api/sessions/s1"))["state"] === "connected");
  const restart = async (): Promise<void> => {
    await hub.stop();
    hub = await startHub(config, createLog("silent"));
  };
  return { call, restart };
}

test("a contact that a CRM reads shows picture and about soon after, behind a short URL", async () => {
  const emulator = bed.emulator();
  const { number: account } = emulator.createAccount({ preset: "small", size: { messages: 0 } });
  const { call } = await linkedHub(account);
  const ana = emulator.contacts(account)[0]?.number ?? "";
  emulator.changeContact(account, ana, { picture: "new", about: "De vacaciones" });
  emulator.receive({ account, from: ana, kind: "text", text: "hola" });
  const info = () => call(`/api/contacts/s1/info/${ana}`).catch(() => ({ about: null }));
  const shown = await until("picture and about", async () => {
    const contact: Record<string, unknown> = await info();
    return contact["about"] === "De vacaciones" && contact["imgUrl"] ? contact : null;
  });
  expect(shown["profilePicUrl"]).toBe(shown["imgUrl"]);
  const picture = await fetch(String(shown["imgUrl"]));
  expect([picture.status, picture.headers.get("content-type")]).toEqual([200, "image/png"]);

  const feed = await call("/api/events?after=0&limit=1000&types=contact.updated");
  const told = z.array(eventSchema).parse(feed["events"]);
  expect(JSON.stringify(told.at(-1))).toContain(String(shown["imgUrl"]));
});

test("everybody is looked up who never was, also by the next process", async () => {
  const { number: account } = bed.emulator().createAccount({ preset: "small" });
  const { call, restart } = await linkedHub(account);
  const contacts = async () => {
    const data = await call("/api/contacts/s1?limit=100");
    return z.array(z.looseObject({ imgUrl: z.string().nullable() })).parse(data["contacts"]);
  };
  await until("its contacts", async () => (await contacts()).length >= 5);
  const { waiting } = await call("/api/contacts/s1/look-up", {});
  expect(waiting).toBeGreaterThanOrEqual(5);
  await restart();
  await until("a picture", async () => (await contacts()).some(({ imgUrl }) => imgUrl !== null));
});
