/** M5: who could not read a message asks for it again, after a restart as well; what nobody knows is answered with nothing. */
import { expect, test } from "vitest";
import { until } from "../support/until.ts";
import { openSendingStand } from "./sending-stand.ts";

test("M5: asked for again after a kill: it goes out of the store, under its id, with what it said", async () => {
  const stand = await openSendingStand({ deliveryReceiptMs: null });
  const { emulator, account } = stand;
  const [ana = ""] = stand.people;
  await stand.sending().send(stand.request(ana, "first"));
  emulator.fault({ kind: "contact-retry", account });
  emulator.fault({ kind: "withhold", account, on: true });
  const { id } = await stand.sending().send(stand.request(ana, "otra vez"));
  await until("it is kept as it left", async () => (await stand.rig.store().inbox.message("s1", id))?.raw);
  expect(emulator.sent({ id })).toEqual([]);
  await stand.crash();
  emulator.fault({ kind: "withhold", account, on: false });
  await stand.connect();
  const got = await until("it was read after all", () => emulator.sent({ account, id })[0]);
  expect(got).toMatchObject({ text: "otra vez", times: 1 });
}, 60_000);

test("M5: a message nobody knows is asked for: nothing is sent, and sending goes on", async () => {
  const stand = await openSendingStand();
  const { emulator, account } = stand;
  const [ana = ""] = stand.people;
  await stand.sending().send(stand.request(ana, "known"));
  const before = emulator.counters().counts.messagesSent;
  const t = String(Math.floor(Date.now() / 1000));
  for (const id of ["3EB0NOBODYKNOWSTHIS", "3EB0NORTHISONE"])
    emulator.sendStanza({
      account,
      stanza: {
        tag: "receipt",
        attrs: { id, from: `${ana}@s.whatsapp.net`, type: "retry", t },
        content: [
          { tag: "retry", attrs: { count: "1", id, t, v: "1" } },
          {
            tag: "registration",
            attrs: {},
            content: { base64: Buffer.from([0, 0, 1, 2]).toString("base64") },
          },
        ],
      },
    });
  expect((await stand.sending().send(stand.request(ana, "after"))).status).toBe("sent");
  await until("it arrived", () => emulator.sent().some(({ text }) => text === "after"));
  expect(emulator.counters().counts.messagesSent).toBe(before + 1);
  expect(emulator.sent().filter(({ text }) => text === "" || text === undefined)).toEqual([]);
}, 60_000);
