/** M1: WhatsApp's word on a message never comes. A new connection carries it again under its id, and a receipt proves it. */
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

test("M1: the word is lost with the connection: the next one carries the message again, under its id, and has WhatsApp's word", async () => {
  const stand = await openSendingStand({ deliveryReceiptMs: null });
  const [ana = ""] = stand.people;
  stand.emulator.fault({ kind: "ack-drop", account: stand.account });
  const { id, status } = await stand.sending().send(stand.request(ana, "hola"));
  expect(status).toBe("pending");
  await stand.crash();
  await stand.connect();
  stand.advance(1);
  await stand.sending().resume("s1");
  await until("WhatsApp's word", async () => (await stand.statusOf(id)) === "sent");
  expect(stand.emulator.sent({ account: stand.account }).map((one) => one.id)).toEqual([id]);
});

test("M1: no word at all: carried by three connections and no more, unconfirmed after a day, then delivered", async () => {
  const stand = await openSendingStand({ deliveryReceiptMs: null });
  const [ana = ""] = stand.people;
  stand.emulator.fault({ kind: "ack-drop", account: stand.account, count: null });
  const { id } = await stand.sending().send(stand.request(ana, "hola"));
  for (const times of [2, 3, 3]) {
    await stand.crash();
    await stand.connect();
    stand.advance(1);
    await stand.sending().resume("s1");
    await until("it went", () => stand.emulator.sent({ id })[0]?.times === times);
    expect(await stand.statusOf(id)).toBe("pending");
  }
  stand.advance(hours(25));
  await stand.sending().giveUpOverdue();
  expect(await stand.statusOf(id)).toBe("failed");
  expect((await stand.told("message.failed")).map(({ code }) => code)).toEqual(["unconfirmed"]);

  stand.emulator.confirm({ account: stand.account, ids: [id], type: "delivery" });
  await until("the receipt proves the contrary", async () => (await stand.statusOf(id)) === "delivered");
  expect(await stand.eventsOf(id)).toEqual(["message.failed", "message.delivered"]);
  expect(stand.emulator.sent({ account: stand.account }).map((one) => one.id)).toEqual([id]);
});
