/** What the events of an account become: its record in the CRM, its row in the registry, and a sync. */
import { expect, test } from "vitest";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { aSession, T0 } from "../support/builders.ts";
import { createFakeHub } from "../support/fake-hub.ts";
import { eventOf, openReceiverRig, toldOfMove, type RigOptions } from "../support/receiver-rig.ts";

async function open(options: RigOptions = {}) {
  const hub = createFakeHub();
  hub.store.addSession({ sessionId: "s1" });
  const rig = await openReceiverRig({ hub, ...options });
  const record = async () => {
    const [only, ...more] = await rig.records("WhatsApp Session");
    if (only === undefined || more.length > 0) throw new Error("not one session");
    return only;
  };
  return { ...rig, hub, record };
}

const lost = aSession({ state: "reconnecting", lostAt: T0 });
const up = aSession();
const connected = (seq: number) =>
  toldOfMove({ previous: lost, next: up, toldConnected: false, quiet: false }, seq);

test("a session that connects is written, registered, and synced once per transition", async () => {
  const { post, apply, record, connections, syncs } = await open();
  expect((await post(connected(1))).action).toBe("sync_started");
  expect(await record()).toMatchObject({
    session_id: "s1",
    session_name: "Front desk",
    status: "Connected",
    is_connected: 1,
    phone_number: "34600999888",
  });
  expect(connections.get("s1")?.status).toBe("connected");
  expect((await post(connected(1))).action).toBe("duplicate");
  expect(syncs).toEqual(["s1 connected"]);
  // After a crash nobody remembers that it was applied, nor whether the sync was asked for.
  await apply(connected(1));
  expect(syncs).toEqual(["s1 connected", "s1 connected"]);
});

test("a session is not synced where that is switched off", async () => {
  const { post, syncs } = await open({ syncOnConnect: false });
  expect((await post(connected(1))).action).toBe("created");
  const history = { oldest: null, newest: null, chats: 0, messages: 0, complete: true };
  expect((await post(eventOf({ event: "history.synced", data: history }, 2))).action).toBe("ignored");
  expect(syncs).toEqual([]);
});

test("a session whose history came is synced again", async () => {
  const { post, syncs } = await open();
  const history = { oldest: null, newest: null, chats: 0, messages: 0, complete: true };
  expect((await post(eventOf({ event: "history.synced", data: history }, 2))).action).toBe("sync_started");
  expect(syncs).toEqual(["s1 history"]);
});

test("a session that was deleted after its loss is written from what is known of it", async () => {
  const { hub, post, record } = await open();
  await post(connected(1));
  hub.store.sessions.delete("s1");
  const stopped = aSession({ state: "stopped" });
  await post(toldOfMove({ previous: up, next: stopped, toldConnected: true, quiet: false }, 2));
  expect(await record()).toMatchObject({
    session_name: "Front desk",
    status: "Disconnected",
    is_connected: 0,
  });
});

test("a session that was deleted before this process ever saw it keeps its name", async () => {
  const { hub, post, record, connections } = await open();
  await connections.seen((await hub.session("s1")).session, 1);
  hub.store.sessions.delete("s1");
  const stopped = aSession({ state: "stopped" });
  await post(toldOfMove({ previous: up, next: stopped, toldConnected: true, quiet: false }, 2));
  expect(await record()).toMatchObject({ session_name: "Front desk", status: "Disconnected" });
});

test("a session shows that a code waits, and never the code", async () => {
  const { hub, post, record, log, records } = await open();
  hub.store.addSession({
    sessionId: "s1",
    status: "qr_code",
    state: "qr",
    isConnected: false,
    hasQR: true,
  });
  const data = { status: "qr_code", qrCode: "c2VjcmV0", expiresAt: T0.toISOString() };
  expect((await post(eventOf({ event: "session.qr", data }, 3))).action).toBe("qr_published");
  expect(await record()).toMatchObject({ status: "QR Code Required" });
  expect(JSON.stringify(await records("WhatsApp Session")) + log.text()).not.toContain("c2VjcmV0");
});

test("a session is not registered as connected before the CRM has it, so that the sync is not lost", async () => {
  let isDown = true;
  const { post, connections, syncs } = await open({
    crm: (crm) => ({
      ...crm,
      upsertSession: (...args) =>
        isDown ? Promise.reject(new CrmUnavailable("away")) : crm.upsertSession(...args),
    }),
  });
  expect((await post(connected(1))).status).toBe(503);
  expect(connections.get("s1")).toBeNull();
  isDown = false;
  expect((await post(connected(1))).action).toBe("sync_started");
  expect(syncs).toEqual(["s1 connected"]);
});
