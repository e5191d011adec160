/** Whose events the bridge's endpoint at the real hub hears, as its key is given more sessions or fewer, or is another key. */
import { expect, onTestFinished, test } from "vitest";
import { createHubClient } from "../../bridge/hub-client-http.ts";
import type { Subscribed } from "../../bridge/hub-client.ts";
import { listIn, openHttpRig } from "../support/http-rig.ts";
import { logBook } from "../support/log-book.ts";

const SECRET = "s".repeat(32);
const PLACE = { url: "http://127.0.0.1:9/webhook", secrets: [SECRET] };

/** A hub with these sessions, and a bridge whose key sees the first. */
async function narrow(...names: string[]) {
  const rig = await openHttpRig();
  for (const name of names) await rig.session(name, { connected: false });
  const made = await rig.post("/api/keys", { name: "b", scopes: ["read", "webhooks"], sessions: ["s1"] });
  const mine = { id: String(made.data["id"]), key: String(made.data["key"]) };
  const bridgeWith = (apiKey: string) => {
    const hub = createHubClient({ url: rig.url, apiKey, userAgent: "InboxBridge/test", log: logBook() });
    onTestFinished(() => hub.close());
    return (known: { id: string; urls: string[] } | null): Promise<Subscribed> =>
      hub.subscribe({ ...PLACE, known });
  };
  const look = bridgeWith(mine.key);
  const { endpointId } = await look(null);
  return {
    rig,
    bridgeWith,
    look,
    endpointId,
    known: { id: endpointId, urls: [PLACE.url] },
    sees: (sessions: "*" | string[]) => rig.put(`/api/keys/${mine.id}`, { sessions }),
    heard: async () =>
      listIn((await rig.get("/api/endpoints")).data, "endpoints").map(({ sessions }) => sessions),
  };
}

const DONE = { done: ["updated"], advice: [] };
const NOTHING = { done: [], advice: [] };

test("a key that sees more by now: its endpoint hears of those too, and it is said once", async () => {
  const { look, known, sees, heard } = await narrow("s1", "s2", "s3");
  await sees(["s1", "s2"]);
  expect(await look(known)).toMatchObject({ endpointId: known.id, ...DONE });
  expect(await heard()).toEqual([["s1", "s2"]]);
  expect(await look(known)).toMatchObject(NOTHING);
});

test("a key that sees everything by now, or another one that does: the endpoint hears everything, of later sessions too", async () => {
  const { rig, bridgeWith, known, heard } = await narrow("s1", "s2");
  const look = bridgeWith(rig.key);
  expect(await look(known)).toMatchObject(DONE);
  expect(await heard()).toEqual(["*"]);
  expect(await look(known)).toMatchObject(NOTHING);
});

test("a session that the key names before it is there is heard of once it is", async () => {
  const { rig, look, known, sees, heard } = await narrow("s1");
  await sees(["s1", "s2"]);
  expect(await look(known)).toMatchObject(NOTHING);
  await rig.session("s2", { connected: false });
  expect(await look(known)).toMatchObject(DONE);
  expect(await heard()).toEqual([["s1", "s2"]]);
});

test("what a hub refuses to tell it is named, and everything else goes on", async () => {
  const { rig, look, endpointId, known, sees, heard } = await narrow("s1", "s2");
  // Such a one is changed by administrators alone.
  await rig.put(`/api/endpoints/${endpointId}`, { includeQr: true });
  await sees(["s1", "s2"]);
  const { done, advice } = await look(known);
  expect(done).toEqual([]);
  expect(advice).toEqual([expect.stringMatching(new RegExp(`${endpointId}.*sessions`))]);
  expect(await heard()).toEqual([["s1"]]);
});

test("a key that sees less by now makes a second endpoint, and a person is told of the first, once", async () => {
  const { look, endpointId, known, sees, heard } = await narrow("s1", "s2");
  await sees(["s2"]);
  const again = await look(known);
  expect(again).toMatchObject({
    done: ["created"],
    advice: [expect.stringMatching(new RegExp(`${endpointId}.*sees fewer sessions`))],
  });
  expect(again.endpointId).not.toBe(endpointId);
  expect(await heard()).toEqual([["s1"], ["s2"]]);
  expect(await look({ ...known, id: again.endpointId })).toMatchObject(NOTHING);
});

test("one that was deleted is made anew without a word where the key sees everything", async () => {
  const { rig, bridgeWith, endpointId, known } = await narrow("s1");
  await rig.call("DELETE", `/api/endpoints/${endpointId}`);
  expect(await bridgeWith(rig.key)(known)).toMatchObject({ done: ["created"], advice: [] });
});
