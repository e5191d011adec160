/** M1: WhatsApp's word on a message never comes. It stays unconfirmed, is not sent twice, and a receipt proves it. */
import { expect, test } from "vitest";
import { hours } from "../support/fixed-clock.ts";
import { until } from "../support/until.ts";
import { openSendingStand } from "./sending-stand.ts";

test("M1: the word is lost, the receipt comes: delivered, told in order, sent once", async () => {
  const stand = await openSendingStand({ deliveryReceiptMs: 200 });
  const [ana = ""] = stand.people;
  stand.emulator.fault({ kind: "ack-drop", account: stand.account });
  const message = await stand.sending().send(stand.request(ana, "hola"));
  expect(message.status, "a receipt is WhatsApp's word as well").toBe("sent");
  await until("delivered", async () => (await stand.statusOf(message.id)) === "delivered");
  expect(await stand.eventsOf(message.id)).toEqual(["message.delivered"]);
  expect(stand.emulator.sent({ account: stand.account }).map(({ times }) => times)).toEqual([1]);
});

test("M1: no word at all: pending over a restart without a second message, unconfirmed after a day, then delivered", async () => {
  const stand = await openSendingStand({ deliveryReceiptMs: null });
  const [ana = ""] = stand.people;
  stand.emulator.fault({ kind: "ack-drop", account: stand.account });
  const { id, status } = await stand.sending().send(stand.request(ana, "hola"));
  expect(status).toBe("pending");
  await stand.crash();
  await stand.connect();
  await stand.sending().resume("s1");
  expect(await stand.statusOf(id)).toBe("pending");
  stand.advance(hours(25));
  await stand.sending().giveUpOverdue();
  expect(await stand.statusOf(id)).toBe("failed");
  expect((await stand.told("message.failed")).map(({ code }) => code)).toEqual(["unconfirmed"]);

  stand.emulator.confirm({ account: stand.account, ids: [id], type: "delivery" });
  await until("the receipt proves the contrary", async () => (await stand.statusOf(id)) === "delivered");
  expect(await stand.eventsOf(id)).toEqual(["message.failed", "message.delivered"]);
  expect(stand.emulator.sent({ id }).map(({ times }) => times)).toEqual([1]);
});
