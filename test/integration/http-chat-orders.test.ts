/** What a CRM can do to chats and people, and ask of the past. */
import { describe, expect, test } from "vitest";
import { chatSchema, contactSchema } from "../../hub/contract/resources.ts";
import { aMessageFact, T0_SECONDS } from "../support/builders.ts";
import { isExactly, listIn, openHttpRig, recordOf, type HttpRig } from "../support/http-rig.ts";

const ANA = "34600111222@s.whatsapp.net";
const CHAT = "/api/messages/s1/34600111222@c.us";

async function aChat(): Promise<HttpRig> {
  const rig = await openHttpRig();
  await rig.session("s1");
  await rig.tell(
    "s1",
    aMessageFact({ chatId: ANA, id: "3A1", timestamp: T0_SECONDS - 90 }),
    aMessageFact({ chatId: ANA, id: "3A2" }),
  );
  return rig;
}

const eventsOf = async (rig: HttpRig): Promise<unknown[]> =>
  listIn((await rig.get("/api/events?limit=1000")).data, "events").map(({ event }) => event);

describe("a chat", () => {
  test("is archived up to its newest message, pinned and muted; each is told once", async () => {
    const rig = await aChat();
    const archived = await rig.put(`${CHAT}/archive`, { value: true });
    expect([archived.status, archived.data["archived"]]).toEqual([200, true]);
    isExactly(chatSchema, archived.data);
    expect((await rig.put(`${CHAT}/archive`, { value: true })).status).toBe(200);
    expect((await rig.put(`${CHAT}/pin`, { value: true })).data["pinned"]).toBe(true);
    expect((await rig.put(`${CHAT}/mute`, { value: true })).data).toMatchObject({
      isMuted: true,
      muteExpiration: -1,
    });
    const until = await rig.put(`${CHAT}/mute`, { value: true, until: "2026-02-01T00:00:00Z" });
    expect(until.data["muteExpiration"]).toBe(Date.parse("2026-02-01T00:00:00Z") / 1000);
    expect((await rig.put(`${CHAT}/mute`, { value: false })).data).toMatchObject({
      isMuted: false,
      muteExpiration: null,
    });
    expect((await rig.put(`${CHAT}/archive`, { value: false })).data["archived"]).toBe(false);

    expect(rig.link.orders.map(({ kind }) => kind)).toEqual([
      "archive",
      "pin",
      "mute",
      "mute",
      "mute",
      "archive",
    ]);
    expect(rig.link.orders[0]).toMatchObject({ chatId: ANA, value: true, newest: { id: "3A2" } });
    const events = await eventsOf(rig);
    expect(events.filter((name) => name === "chat.archived" || name === "chat.unarchived")).toEqual([
      "chat.archived",
      "chat.unarchived",
    ]);
  });

  test("that nobody knows is CHAT_NOT_FOUND; wrong bodies and a lost connection change nothing", async () => {
    const rig = await aChat();
    const unknown = await rig.put("/api/messages/s1/34611111111/archive", { value: true });
    expect([unknown.status, unknown.json["code"]]).toEqual([404, "CHAT_NOT_FOUND"]);
    for (const body of [{}, { value: "yes" }, { value: true, extra: 1 }])
      expect((await rig.put(`${CHAT}/pin`, body)).status).toBe(400);
    rig.link.goesAway();
    const refused = await rig.put(`${CHAT}/archive`, { value: true });
    expect([refused.status, refused.json["code"]]).toEqual([409, "SESSION_NOT_CONNECTED"]);
    expect(listIn((await rig.get("/api/messages/s1/chats")).data, "chats")[0]?.["archived"]).toBe(false);
    expect(rig.link.orders).toEqual([]);
  });

  test("shows that somebody writes", async () => {
    const rig = await aChat();
    const typing = await rig.post(`${CHAT}/typing`, { state: "composing" });
    expect([typing.status, typing.data]).toEqual([200, {}]);
    expect(rig.link.orders).toEqual([{ chatId: ANA, kind: "typing", state: "composing" }]);
    expect((await rig.post(`${CHAT}/typing`, { state: "thinking" })).status).toBe(400);
  });
});

test("a person is blocked and unblocked, a group is not", async () => {
  const rig = await aChat();
  const blocked = await rig.post("/api/contacts/s1/+34600111222/block");
  expect([blocked.status, blocked.data["isBlocked"]]).toEqual([200, true]);
  isExactly(contactSchema, blocked.data);
  expect((await rig.post("/api/contacts/s1/34600111222/unblock")).data["isBlocked"]).toBe(false);
  expect(rig.link.orders.map(({ kind }) => kind)).toEqual(["block", "block"]);
  const group = await rig.post("/api/contacts/s1/120363000000000001@g.us/block");
  expect([group.status, group.json["code"]]).toEqual([400, "VALIDATION_ERROR"]);
});

describe("the past", () => {
  test("is asked for before the oldest message of each chat, until the phone says that there is no more", async () => {
    const rig = await aChat();
    const asked = await rig.post("/api/sessions/s1/sync", {});
    expect([asked.status, asked.data["requested"], asked.data["chats"]]).toEqual([200, true, 1]);
    expect(recordOf(asked.data["coverage"])).toMatchObject({
      oldest: T0_SECONDS - 90,
      newest: T0_SECONDS,
      chats: 1,
      messages: 2,
      complete: false,
    });
    expect(rig.link.orders).toEqual([{ chatId: ANA, kind: "history", before: "3A1", count: 50 }]);
    const recent = await rig.post("/api/sessions/s1/sync", { days: 1, chatId: "+34600111222" });
    expect(recent.data["requested"]).toBe(true);

    await rig.tell(
      "s1",
      { kind: "chat", jid: ANA, change: { hasOlder: false }, live: false },
      { kind: "history", syncType: "on_demand", progress: 100, import: false, done: true, piece: null },
    );
    expect((await rig.post("/api/sessions/s1/sync")).data["requested"]).toBe(false);
    expect(rig.link.orders).toHaveLength(2);
    expect(await eventsOf(rig)).toContain("history.synced");
  });

  test("is complete when the import that followed linking has come to its end, and not before", async () => {
    const rig = await aChat();
    const complete = async (): Promise<unknown> =>
      recordOf((await rig.get("/api/sessions/s1")).data["history"])["complete"];
    const stage = (syncType: string, progress: number, isImport: boolean) =>
      rig.tell("s1", {
        kind: "history",
        syncType,
        progress,
        import: isImport,
        done: isImport && progress === 100,
        piece: null,
      });
    await stage("push_name", 100, false);
    expect(await complete()).toBe(false);
    await stage("recent", 100, true);
    expect(await complete()).toBe(true);
    await stage("full", 40, true);
    expect(await complete()).toBe(false);
    await stage("full", 100, true);
    expect(await complete()).toBe(true);
    expect(recordOf((await rig.get("/api/sessions/s1")).data["history"])).toEqual({
      oldest: T0_SECONDS - 90,
      newest: T0_SECONDS,
      complete: true,
    });
  });
});
