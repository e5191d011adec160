/** M3: receipts in any order, twice, late, and thousands in one. A status never goes back; each rise is told once. */
import { expect, test } from "vitest";
import { aMessage } from "../support/builders.ts";
import { until } from "../support/until.ts";
import { openSendingStand } from "./sending-stand.ts";

test("M3: read before delivered, the same receipt again and again, a late one: never back, one event per rise", async () => {
  const { emulator, account, people, ...stand } = await openSendingStand({ deliveryReceiptMs: null });
  const [ana = "", eva = ""] = people;
  const { id } = await stand.sending().send(stand.request(ana, "hola"));
  const confirm = (type: "delivery" | "read" | "played", by?: string): void =>
    emulator.confirm({ account, ids: [id], type, ...(by === undefined ? {} : { by }) });
  confirm("read");
  await until("read", async () => (await stand.statusOf(id)) === "read");
  for (const type of ["delivery", "read", "delivery", "read"] as const) confirm(type);
  // What is told of another message shows that those before it were heard.
  const next = await stand.sending().send(stand.request(eva, "next"));
  emulator.confirm({ account, ids: [next.id], type: "delivery" });
  await until("the next one is delivered", async () => (await stand.statusOf(next.id)) === "delivered");

  expect(await stand.statusOf(id)).toBe("read");
  expect(await stand.eventsOf(id)).toEqual(["message.sent", "message.read"]);
  await stand.crash();
  await stand.connect();
  confirm("delivery");
  emulator.confirm({ account, ids: [next.id], type: "read" });
  await until("the next one is read", async () => (await stand.statusOf(next.id)) === "read");
  expect(await stand.statusOf(id)).toBe("read");
  expect(await stand.eventsOf(id)).toEqual(["message.sent", "message.read"]);
});

test("M3: five thousand messages confirmed by one receipt rise once each", async () => {
  const { emulator, account, people, rig, ...stand } = await openSendingStand({ deliveryReceiptMs: null });
  const [ana = ""] = people;
  const chatId = `${ana}@s.whatsapp.net`;
  const ids = Array.from({ length: 5_000 }, (_, n) => `3EB0${String(n).padStart(16, "0")}`);
  const sent = { fromMe: true, pushName: null, status: "sent" as const, client: "crm", chatId };
  await rig.store().inbox.record({
    sessionId: "s1",
    facts: ids.map((id) => ({ kind: "message" as const, message: aMessage({ ...sent, id }), live: false })),
    closes: [],
    now: new Date(),
  });
  const delivered = async () => (await stand.told("message.delivered")).map(({ messageId }) => messageId);
  const last = ids.at(-1) ?? "";
  for (let again = 0; again < 2; again++) {
    emulator.confirm({ account, ids, type: "delivery", by: ana });
    await until("all rose", async () => (await stand.statusOf(last)) === "delivered");
  }
  emulator.confirm({ account, ids: [last], type: "read", by: ana });
  await until("what came after it is there", async () => (await stand.statusOf(last)) === "read");
  expect((await delivered()).sort()).toEqual(ids);
}, 60_000);
