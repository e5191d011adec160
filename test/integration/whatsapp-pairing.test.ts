import { openWhatsAppRig, type WhatsAppRig } from "../support/whatsapp-rig.ts";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import { trustEmulator } from "../whatsapp/trust.ts";
import { until } from "../support/until.ts";

let emulator: Emulator;
const rigs: WhatsAppRig[] = [];

beforeAll(async () => {
  emulator = await startEmulator();
  await trustEmulator(emulator);
});
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop();
});
afterAll(() => emulator.stop());

async function aRig(
  preset: "empty" | "small" | "mission",
  sessionId = "s1",
): Promise<WhatsAppRig & { number: string }> {
  const account = emulator.createAccount({ preset });
  const rig = await openWhatsAppRig(emulator, { number: account.number, sessionId });
  rigs.push(rig);
  return Object.assign(rig, { number: account.number });
}

test("a scanned phone is linked, and its history arrives whole", async () => {
  const rig = await aRig("mission");
  await rig.connect();
  expect(rig.signals.map(({ type }) => type)).toEqual(["qr", "restart_required", "opened"]);
  expect(rig.signals.at(-1)).toMatchObject({ type: "opened", phoneNumber: rig.number });
  expect(await rig.connector().isPaired(rig.sessionId)).toBe(true);
  const { inbox } = rig.store();
  await until(
    "985 messages",
    async () => (await inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 1 })).total >= 985,
  );
  await until("history rows are closed", async () => (await rig.store().intake.open("s1")).length === 0);
  console.log(
    (await inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 1 })).total,
    (await inbox.chats({ sessionId: "s1", page: 1, limit: 1 })).total,
    await inbox.contactStats("s1"),
    rig.lines,
  );
});
