/** The bridge as a whole: with the real hub's REST, over starts and stops, and when the hub's count begins anew. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import { openBridgeRig, type BridgeRig } from "../support/bridge-rig.ts";
import { aMessageFact } from "../support/builders.ts";
import { hubDown } from "../support/fake-hub.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { listIn, openHttpRig, recordOf } from "../support/http-rig.ts";
import { until } from "../support/until.ts";

const ANA = "34600111222@c.us";

async function messagesIn(rig: BridgeRig): Promise<Record<string, unknown>[]> {
  const fields = encodeURIComponent('["message_id","content","status"]');
  const path = `/api/resource/WhatsApp%20Message?fields=${fields}&order_by=name&limit_page_length=0`;
  return listIn((await rig.call("GET", path)).json, "data");
}

describe("with the hub's own REST and SQLite as the CRM", () => {
  test("a bridge that starts late fills the CRM, and takes what comes after by the feed", async () => {
    const hub = await openHttpRig();
    await hub.session("s1");
    await hub.tell("s1", aMessageFact({ id: "3A01", content: "before" }));
    const rig = await openBridgeRig({
      env: { BRIDGE_HUB_URL: hub.url, BRIDGE_HUB_API_KEY: hub.key, BRIDGE_CRM: "sqlite" },
    });
    await rig.bridge.idle();
    expect(await messagesIn(rig)).toMatchObject([{ message_id: "3A01", content: "before" }]);
    expect(rig.bridge.connections.get("s1")).toMatchObject({
      status: "connected",
      phoneNumber: "34600999888",
    });

    await hub.tell("s1", aMessageFact({ id: "3A02", content: "after" }));
    await rig.bridge.reconcile.sessions();
    expect(await messagesIn(rig)).toMatchObject([
      { message_id: "3A01" },
      { message_id: "3A02", content: "after" },
    ]);

    const status = await rig.method("api.sync.get_sync_status", { session_name: "s1" });
    expect(listIn(status.message, "sessions")).toMatchObject([
      { session: "s1", is_connected: true, total_messages: 2, job: { status: "done" } },
    ]);
    const ready = await rig.call("GET", "/readyz");
    expect([ready.status, ready.json["ready"]]).toEqual([200, true]);
    expect(rig.log.text()).not.toContain("34600111222");
  });
});

describe("a start", () => {
  test("with the hub away succeeds, and what was missed is read once it is there", async () => {
    const rig = await openBridgeRig({
      given: (hub) => {
        hub.store.addSession({ sessionId: "s1" });
        hub.store.addMessage("s1", { chatId: ANA, messageId: "3A01" });
        hub.before = () => {
          throw hubDown();
        };
      },
    });
    expect((await rig.call("GET", "/health")).status).toBe(200);
    const away = await rig.call("GET", "/readyz");
    expect([away.status, recordOf(recordOf(away.json["checks"])["hub"])["ok"]]).toEqual([503, false]);
    rig.hub.before = () => undefined;
    await until("the message is in the CRM", async () => (await messagesIn(rig)).length === 1);
  });

  test("takes up where the last one stopped", async () => {
    const clock = fixedClock();
    const [state, adapter] = [createMemoryState(), createMemoryAdapter({ clock })];
    const first = await openBridgeRig({
      given: (hub) => void hub.store.addSession({ sessionId: "s1" }),
      overrides: { state, adapter },
    });
    await first.bridge.idle();
    await first.bridge.stop();
    first.hub.receives("s1", { chatId: ANA, messageId: "3A77", content: "while it was off" });
    const second = await openBridgeRig({ overrides: { state, adapter, hub: first.hub } });
    await second.bridge.idle();
    expect(await messagesIn(second)).toMatchObject([{ message_id: "3A77", content: "while it was off" }]);
    expect(second.log.lines("feed.reset")).toEqual([]);
  });

  test("with all that can be switched off off reads the events and looks after its endpoint every five minutes", async () => {
    const faked = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] as const;
    vi.useFakeTimers({ toFake: [...faked] });
    onTestFinished(() => void vi.useRealTimers());
    const rig = await openBridgeRig({
      env: { BRIDGE_RECONCILE: "off", BRIDGE_AUTO_SYNC: "off" },
      given: (hub) => void hub.store.addSession({ sessionId: "s1" }),
      overrides: { keepUp: undefined },
    });
    await rig.bridge.idle();
    const lookedAfter = (): number => rig.hub.calls.filter(({ method }) => method === "subscribe").length;
    const before = lookedAfter();
    rig.hub.receives("s1", { chatId: ANA, messageId: "3A88", content: "no webhook told it" });
    await vi.advanceTimersByTimeAsync(5 * 60_000);
    await rig.bridge.idle();
    expect(await messagesIn(rig)).toMatchObject([{ message_id: "3A88" }]);
    expect(lookedAfter()).toBe(before + 1);
  });

  test("on a port that is taken fails with the reason", async () => {
    const rig = await openBridgeRig();
    await expect(openBridgeRig({ env: { BRIDGE_PORT: new URL(rig.url).port } })).rejects.toThrow(
      "EADDRINUSE",
    );
  });
});

describe("a hub restored from an older backup", () => {
  test("whose numbers are lower than those in the CRM still changes the records", async () => {
    const rig = await openBridgeRig({
      given: (hub) => {
        hub.store.addSession({ sessionId: "s1" });
        for (let n = 0; n < 20; n++) hub.turns("s1", "connected");
        hub.store.addContact("s1", { id: ANA, name: "Ana" });
      },
    });
    await rig.bridge.idle();
    const nameNow = async (): Promise<unknown> => {
      const { json } = await rig.call(
        "GET",
        "/api/resource/WhatsApp%20Contact?fields=%5B%22contact_name%22%5D",
      );
      return listIn(json, "data")[0]?.["contact_name"];
    };
    expect(await nameNow()).toBe("Ana");

    rig.hub.epoch = 2;
    rig.hub.store.events.splice(0);
    const latest = rig.hub.events;
    rig.hub.events = async (query) => ({ ...(await latest(query)), latestSeq: 3 });
    rig.hub.store.addContact("s1", { id: ANA, name: "Ana María" });
    const pages = rig.hub.contacts;
    rig.hub.contacts = async (...query) => ({ ...(await pages(...query)), position: 3 });
    await rig.bridge.reconcile.sessions();
    await rig.bridge.idle();
    expect(rig.log.lines("feed.reset").map(({ facts }) => facts["why"])).toEqual(["new_hub", "new_epoch"]);
    expect(await nameNow()).toBe("Ana María");
  });
});

describe("progress", () => {
  test("is streamed to those who listen, of the session they asked for", async () => {
    const rig = await openBridgeRig({
      env: { BRIDGE_SYNC_ON_CONNECT: "0" },
      given: (hub) => {
        for (const sessionId of ["s1", "s2"]) {
          hub.store.addSession({ sessionId, id: sessionId === "s1" ? 1 : 2 });
          hub.store.addMessage(sessionId, { chatId: ANA });
        }
      },
    });
    await rig.bridge.idle();
    const leave = new AbortController();
    const response = await fetch(`${rig.url}/api/sync/events?session=s1`, {
      headers: { "X-API-Key": "monitor:fedcba9876543210" },
      signal: leave.signal,
    });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    let text = "";
    const reading = (async () => {
      for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk as Uint8Array);
    })().catch(() => undefined);
    for (const session of ["s2", "s1"])
      await rig.method("api.sync.sync_session_complete", { session_name: session, wait: 10 });
    await until("the end of the sync is told", () => text.includes('"status":"completed"'));
    leave.abort();
    await reading;
    expect(text).not.toContain('"sessionId":"s2"');
    expect(text).toContain('"progress":100');
  });

  test("needs a key", async () => {
    const rig = await openBridgeRig();
    expect((await rig.call("GET", "/api/sync/events", { key: null })).status).toBe(401);
  });

  test("streams end when the bridge stops", async () => {
    const rig = await openBridgeRig();
    const response = await fetch(`${rig.url}/api/sync/events`, {
      headers: { "X-API-Key": "monitor:fedcba9876543210" },
    });
    const ended = response.text();
    await rig.bridge.stop();
    expect(await ended).toContain(": open");
  });
});
