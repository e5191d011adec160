/** The whole bridge over a CRM that has the six calls every receiver must have, and none of the others. */
import { describe, expect, onTestFinished, test } from "vitest";
import type { HubEvent } from "../../hub/contract/index.ts";
import { openBridgeRig, withPeople, ANA } from "../support/bridge-rig.ts";
import { minutes } from "../support/fixed-clock.ts";
import { recordOf } from "../support/http-rig.ts";
import { serveSixRouteCrm } from "../support/six-route-crm.ts";

const LID = "98765432109876@lid";

async function openSixRoutes(missing: number) {
  const crm = await serveSixRouteCrm(missing);
  onTestFinished(() => crm.server.close());
  const rig = await openBridgeRig({
    given: withPeople,
    env: { BRIDGE_CRM: "http", CRM_URL: crm.server.url, CRM_SECRET: "a secret of tests, long enough" },
  });
  const action = async (event: HubEvent): Promise<unknown> => {
    const { status, json } = await rig.push(event);
    return [status, recordOf(json["processed"])["action"]];
  };
  const sync = async (wait = 10) => {
    const { message } = await rig.method("api.sync.sync_session_complete", { session_name: "s1", wait });
    return message;
  };
  const contentOf = (messageId: string): unknown =>
    [...crm.rows.messages.values()].find((row) => row["messageId"] === messageId)?.["content"];
  return { crm, rig, action, sync, contentOf };
}

describe.each([404, 405, 501])("a CRM that answers %i to everything but the six calls", (missing) => {
  test("is filled, kept up to date, and compared; what it has no call for holds nothing up", async () => {
    const { crm, rig, action, sync, contentOf } = await openSixRoutes(missing);
    const { hub } = rig;

    expect(await action(hub.turns("s1", "connected"))).toEqual([200, "sync_started"]);
    await rig.bridge.idle();
    expect(await sync()).toMatchObject({ status: "done", messages: { errors: 0 } });
    expect([crm.rows.contacts.size, crm.rows.chats.size, crm.rows.messages.size]).toEqual([1, 1, 3]);

    const live = hub.receives("s1", { chatId: ANA, messageId: "LIVE", content: "hola" });
    expect(await action(live)).toEqual([200, "created"]);
    const key = { chatId: ANA, messageId: "LIVE" };
    expect(await action(hub.edits("s1", key, "hola, Ana"))).toEqual([200, "duplicate"]);
    await action(hub.receives("s1", { chatId: ANA, messageId: "GONE" }));
    expect(await action(hub.deletes("s1", { ...key, messageId: "GONE" }))).toEqual([200, "duplicate"]);
    const reaction = {
      messageId: "LIVE",
      emoji: "👍",
      from: ANA,
      removed: false,
      message: {
        chatId: ANA,
        reactionMessage: {
          key: { id: "LIVE", fromMe: false, remoteJid: ANA },
          text: "👍",
          senderTimestampMs: rig.clock.now().getTime(),
        },
      },
    };
    expect(await action(hub.store.emit("message.reaction", "s1", reaction))).toEqual([200, "duplicate"]);
    const merge = { from: LID, into: ANA, conversationId: null };
    expect(await action(hub.store.emit("contact.merged", "s1", merge))).toEqual([200, "duplicate"]);
    const sent = hub.store.addMessage("s1", { chatId: ANA, messageId: "SENT", fromMe: true });
    expect(await action(hub.raises("s1", { chatId: ANA, messageId: sent.messageId }, "read"))).toEqual([
      200,
      "status_updated",
    ]);
    expect(contentOf("LIVE")).toBe("hola");

    // The newest messages of the top chats come whole with every sync: edited, and gone.
    expect(await sync()).toMatchObject({ status: "done", messages: { errors: 0, updated: 2 } });
    expect(contentOf("LIVE")).toBe("hola, Ana");

    hub.store.addMessage("s1", { chatId: ANA, messageId: "MISSED" });
    const compared = await rig.method("api.sync.reconcile", { session_name: "s1" });
    expect(compared.message).toMatchObject({ success: true, differences: { messages: 1 }, repaired: 1 });
    expect(crm.rows.messages.size).toBe(7);
    expect((await rig.method("api.sync.reconcile", { session_name: "s1" })).message).toMatchObject({
      differences: { messages: 0 },
    });
    expect((await rig.method("api.sync.list_failed")).message).toMatchObject({ items: [] });
  });

  test("is asked once for what it lacks, and again after some minutes", async () => {
    const { crm, rig, action } = await openSixRoutes(missing);
    const { hub } = rig;
    const live = hub.receives("s1", { chatId: ANA, messageId: "LIVE" });
    await action(live);
    const edits = (): number => crm.asked.filter((call) => call.startsWith("POST /changes/batch")).length;
    for (const text of ["one", "two", "three"])
      await action(hub.edits("s1", { chatId: ANA, messageId: "LIVE" }, text));
    expect(edits()).toBe(1);
    rig.clock.advance(minutes(6));
    for (const text of ["four", "five"])
      await action(hub.edits("s1", { chatId: ANA, messageId: "LIVE" }, text));
    expect(edits()).toBe(2);
    // However far a clock is set back meanwhile.
    rig.clock.advance(-minutes(60));
    await action(hub.edits("s1", { chatId: ANA, messageId: "LIVE" }, "six"));
    expect(edits()).toBe(2);
    rig.clock.advance(minutes(6));
    await action(hub.edits("s1", { chatId: ANA, messageId: "LIVE" }, "seven"));
    expect(edits()).toBe(3);
    const told = rig.log.lines("crm.not_covered").filter(({ facts }) => facts["kind"] === "changes");
    expect(told).toHaveLength(1);
  });
});

describe("a CRM that answers 500 because of one record", () => {
  test("takes all the others, by sync and by webhook, and the one is listed with the CRM's words", async () => {
    const { crm, rig, action, sync } = await openSixRoutes(404);
    const { hub } = rig;
    for (let n = 1; n <= 120; n++)
      hub.store.addContact("s1", { id: `3460011${1000 + n}@c.us`, name: `Person ${n}` });
    hub.store.addContact("s1", { id: "34600110000@c.us", name: "💣" });
    crm.isPoison = (item) => item["name"] === "💣" || String(item["content"]).includes("💣");
    await action(hub.turns("s1", "connected"));
    await rig.bridge.idle();
    expect(await sync()).toMatchObject({ status: "done", contacts: { processed: 122, errors: 1 } });
    expect(crm.rows.contacts.size).toBe(121);

    const bad = hub.receives("s1", { chatId: ANA, messageId: "BAD", content: "💣" });
    expect((await rig.push(bad)).status).toBe(503);
    expect((await rig.push(bad)).status).toBe(503);
    await action(hub.receives("s1", { chatId: ANA, messageId: "GOOD", content: "hola" }));
    expect((await rig.push(bad)).status).toBe(422);
    const { message } = await rig.method("api.sync.list_failed");
    expect(message["items"]).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ key: "34600110000@c.us", error: "POST /contacts/batch: Server Error" }),
        expect.objectContaining({ key: `${ANA}|BAD`, error: "POST /messages/batch: Server Error" }),
      ]),
    );
  });

  test("is not taken for one whose disk is full: then nothing is given up", async () => {
    const { crm, rig, action } = await openSixRoutes(404);
    crm.isFull = true;
    const event = rig.hub.receives("s1", { chatId: ANA, messageId: "LIVE" });
    for (let n = 0; n < 5; n++) expect((await rig.push(event)).status).toBe(503);
    crm.isFull = false;
    expect(await action(event)).toEqual([200, "created"]);
    expect((await rig.method("api.sync.list_failed")).message).toMatchObject({ items: [] });
  });
});

test("a CRM that refuses everything for a while loses nothing, by sync or by webhook", async () => {
  const { crm, rig, action, sync } = await openSixRoutes(404);
  const { hub } = rig;
  for (let n = 1; n <= 120; n++)
    hub.store.addContact("s1", { id: `3460011${1000 + n}@c.us`, name: `Person ${n}` });
  await action(hub.turns("s1", "connected"));
  await rig.bridge.idle();
  expect(await sync()).toMatchObject({ status: "done", contacts: { processed: 121, errors: 0 } });

  crm.refusesAll = true;
  for (let n = 1; n <= 120; n++)
    hub.store.addContact("s1", { id: `3460011${1000 + n}@c.us`, name: `Person ${n} anew` });
  const event = hub.receives("s1", { chatId: ANA, messageId: "LIVE" });
  expect((await rig.push(event)).status).toBe(503);
  expect(await sync(1)).toMatchObject({ status: "queued", contacts: { errors: 0 }, attempts: 1 });

  crm.refusesAll = false;
  expect(await sync()).toMatchObject({ status: "done", contacts: { updated: 120, errors: 0 } });
  expect(await action(event)).toEqual([200, expect.stringMatching(/created|duplicate/)]);
  expect([...crm.rows.contacts.values()].filter(({ name }) => String(name).endsWith("anew"))).toHaveLength(
    120,
  );
  expect((await rig.method("api.sync.list_failed")).message).toMatchObject({ items: [] });
});
