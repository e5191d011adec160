/** M2: WhatsApp refuses a message, restricts the account, or lets it open no more chats while many wait. */
import { expect, test } from "vitest";
import { adviceOnRefusal } from "../../hub/core/advice-on-refusals.ts";
import { until } from "../support/until.ts";
import { openSendingStand, type SendingStand } from "./sending-stand.ts";

const texts = ({ emulator }: SendingStand): (string | undefined)[] => emulator.sent().map(({ text }) => text);
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
const messagesSent = ({ emulator }: SendingStand): number => emulator.counters().counts.messagesSent;

test("M2: refused with 463: failed with advice and never tried again; strangers wait, who wrote is written to, all by itself", async () => {
  const stand = await openSendingStand();
  const [stranger = "", other = "", friend = ""] = stand.people;
  const { id } = stand.emulator.receive({ account: stand.account, from: friend, kind: "text", text: "hey" });
  await until("the friend's message", async () => (await stand.statusOf(id)) !== undefined);

  stand.emulator.fault({ kind: "ack-error", account: stand.account, code: 463 });
  await expect(stand.sending().send(stand.request(stranger, "one"))).rejects.toMatchObject({
    code: "RECIPIENT_RESTRICTED",
    details: { whatsappCode: "463", advice: adviceOnRefusal("463") },
  });
  const [failed] = await stand.told("message.failed");
  expect(failed?.["code"]).toBe("463");
  expect(failed?.["adviceEs"]).toMatch(/escriba primero/);
  await until("it is told", async () => (await stand.told("session.restricted")).length > 0);

  const held = await stand.sending().send(stand.request(other, "two", { queue: true }));
  expect(held.status).toBe("pending");
  expect((await stand.sending().send(stand.request(friend, "three"))).status).toBe("sent");
  expect(texts(stand)).toEqual(["three"]);

  // WhatsApp names an end: that one counts, here and over a kill.
  const end = inSeconds(3600);
  stand.emulator.restrict({ account: stand.account, timelock: { until: end, type: "NEW_KIND" } });
  await until("the end is known", async () => {
    const restriction = await stand.sending().restrictionOf("s1");
    return restriction?.until.getTime() === end * 1000;
  });
  await stand.crash();
  await stand.connect();
  await until("asked, whatever WhatsApp calls it", async () => {
    const restriction = await stand.sending().restrictionOf("s1");
    return restriction?.type === "NEW_KIND";
  });
  expect(texts(stand)).toEqual(["three"]);
  expect((await stand.sending().standing("s1")).waiting).toBe(1);
  const soon = inSeconds(2);
  stand.emulator.restrict({ account: stand.account, timelock: { until: soon } });
  await until("it went by itself", () => texts(stand).includes("two"));
  expect(Date.now()).toBeGreaterThanOrEqual(soon * 1000);
  await until("sent", async () => ["sent", "delivered"].includes((await stand.statusOf(held.id)) ?? ""));
  const told = (await stand.told("session.restricted")).map(({ restricted }) => restricted);
  expect([told[0], told.at(-1)]).toEqual([true, false]);
  expect(messagesSent(stand), "one, two and three, each once").toBe(3);
}, 60_000);

test("M2: a restriction that was there before is asked for at the open", async () => {
  const stand = await openSendingStand();
  const end = inSeconds(3600);
  await stand.crash();
  const account = stand.emulator.world.accounts.get(stand.account);
  // Without the notification: it came and went while nobody listened.
  if (account !== undefined) account.standing.timelock = { until: end, type: "DEFAULT" };
  await stand.connect();
  await until("known", async () => {
    const restriction = await stand.sending().restrictionOf("s1");
    return restriction?.until.getTime() === end * 1000;
  });
  const [ana = ""] = stand.people;
  await expect(stand.sending().send(stand.request(ana, "no"))).rejects.toMatchObject({
    code: "RECIPIENT_RESTRICTED",
    details: { until: new Date(end * 1000).toISOString() },
  });
  expect(messagesSent(stand)).toBe(0);
  stand.emulator.restrict({ account: stand.account, timelock: null });
  await until("lifted", async () => (await stand.sending().restrictionOf("s1")) === null);
  expect((await stand.sending().send(stand.request(ana, "yes"))).status).toBe("sent");
}, 60_000);

test("M2: refused with 479: the devices are asked for anew and it goes once more, under its own id", async () => {
  const stand = await openSendingStand();
  const [ana = "", eva = ""] = stand.people;
  await stand.sending().send(stand.request(ana, "before"));
  stand.emulator.fault({ kind: "ack-error", account: stand.account, code: 479 });
  const message = await stand.sending().send(stand.request(ana, "stale"));
  expect(message.status).toBe("sent");
  expect(stand.emulator.sent({ id: message.id }).map(({ text, times }) => [text, times])).toEqual([
    ["stale", 1],
  ]);
  expect(messagesSent(stand)).toBe(3);
  expect(await stand.told("message.failed")).toEqual([]);

  stand.emulator.fault({ kind: "ack-error", account: stand.account, code: 479, count: 2 });
  await expect(stand.sending().send(stand.request(eva, "again"))).rejects.toMatchObject({
    code: "WHATSAPP_ERROR",
    details: { whatsappCode: "479", advice: adviceOnRefusal("479") },
  });
  expect(messagesSent(stand), "once more, and not twice").toBe(5);
  expect((await stand.told("message.failed")).map(({ code }) => code)).toEqual(["479"]);
}, 60_000);

test("M2: the number of new chats is used up in the middle of many: the rest waits, who is known goes on, nothing is lost", async () => {
  const stand = await openSendingStand();
  const { account, people } = stand;
  const friend = people[10] ?? "";
  const { id } = stand.emulator.receive({ account, from: friend, kind: "text", text: "hey" });
  await until("the friend's message", async () => (await stand.statusOf(id)) !== undefined);
  const end = inSeconds(3600);
  stand.emulator.restrict({ account, newChats: { total: 20, used: 15, until: end } });
  await until("told", async () => (await stand.sending().standing("s1")).newChats.allowance !== null);

  const many = people
    .slice(0, 8)
    .map((to, n) => stand.sending().send(stand.request(to, `${n}`, { queue: true })));
  await until("three went", () => texts(stand).length === 3);
  await stand.sending().send(stand.request(friend, "known"));
  expect(texts(stand)).toHaveLength(4);
  const { waiting, newChats } = await stand.sending().standing("s1");
  expect([waiting, newChats.freeAt?.getTime()]).toEqual([5, end * 1000]);

  await stand.crash();
  await Promise.allSettled(many);
  await stand.connect();
  await until("asked again", async () => (await stand.sending().standing("s1")).newChats.allowance !== null);
  stand.emulator.restrict({ account, newChats: { total: 100, used: 18 } });
  await until("all went", () => texts(stand).length === 9);
  expect([...texts(stand)].sort()).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "known"]);
  expect(stand.emulator.sent().every(({ times }) => times === 1)).toBe(true);
}, 60_000);
