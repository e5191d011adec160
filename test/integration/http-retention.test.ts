/** How long a session's messages are kept, as clients set it and see what became of it. */
import { expect, test } from "vitest";
import { chatSchema, sessionSettingsSchema } from "../../hub/contract/resources.ts";
import { importDays } from "../../hub/core/session.ts";
import { aMessageFact } from "../support/builders.ts";
import { listIn, openHttpRig, recordOf } from "../support/http-rig.ts";

const SETTINGS = "/api/sessions/s1/settings";

test("a session is set to keep its messages so many days, and back to the hub's way", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  expect((await rig.get(SETTINGS)).data).toMatchObject({ retentionDays: null });
  for (const retentionDays of [7, 3650, 30]) {
    const set = await rig.put(SETTINGS, { retentionDays });
    expect([set.status, set.data["retentionDays"]]).toEqual([200, retentionDays]);
  }
  await rig.put(SETTINGS, { ignoreGroups: true });
  expect(sessionSettingsSchema.parse((await rig.get(SETTINGS)).data)).toMatchObject({ retentionDays: 30 });
  expect((await rig.get("/api/sessions/s1")).data).toMatchObject({ settings: { retentionDays: 30 } });
  const { items } = await rig.store.audit.list({ limit: 9, page: 1 });
  expect(items.find(({ details }) => details["retentionDays"] === 30)).toMatchObject({
    outcome: "done",
    target: "s1",
  });
  expect((await rig.put(SETTINGS, { retentionDays: null })).data).toMatchObject({ retentionDays: null });

  const made = await rig.post("/api/sessions", { sessionId: "s2", settings: { retentionDays: 90 } });
  expect(made.status).toBe(201);
  expect((await rig.get("/api/sessions/s2/settings")).data).toMatchObject({ retentionDays: 90 });
});

test("less than a week, more than ten years, or no whole number of days is refused with the field's name and the reason", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  for (const retentionDays of [6, 1, 0, -1, 3651, 7.5, "30", true, {}]) {
    const { status, json } = await rig.put(SETTINGS, { retentionDays });
    expect([retentionDays, status, json["code"]]).toEqual([retentionDays, 400, "VALIDATION_ERROR"]);
    const { fields } = recordOf(json["details"]);
    expect(fields).toMatchObject([{ path: "retentionDays" }]);
    expect(JSON.stringify(fields)).toContain("use 7 to 3650 days");
  }
  expect((await rig.get(SETTINGS)).data).toMatchObject({ retentionDays: null });
});

test("a chat says how many of its messages went, and nothing of it while none did", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  const chatOf = async () => {
    const [chat] = listIn((await rig.get("/api/messages/s1/chats")).data, "chats");
    return chatSchema.parse(chat);
  };
  const now = rig.clock.now();
  await rig.store.inbox.record({ ...{ sessionId: "s1", facts: [aMessageFact()], closes: [], now } });
  expect(await chatOf()).not.toHaveProperty("removedMessages");
  const soon = new Date(now.getTime() + 1000);
  await rig.store.inbox.removeOld({
    ...{ sessionId: "s1", before: soon, settledBefore: soon, after: null, limit: 10 },
  });
  expect(await chatOf()).toMatchObject({ totalMessages: 0, removedMessages: 1, lastMessage: null });
});

test("a new link brings no history that would go for its age", () => {
  expect(importDays({ historyDays: 365, retentionDays: null }, null)).toBe(365);
  expect(importDays({ historyDays: 365, retentionDays: 30 }, null)).toBe(30);
  expect(importDays({ historyDays: 365, retentionDays: null }, 60)).toBe(60);
  expect(importDays({ historyDays: 365, retentionDays: 400 }, 60)).toBe(365);
});
