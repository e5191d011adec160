/** The bridge's endpoint at a whole hub, when the bridge comes back with another secret or at another address. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { makeSecret } from "../../hub/contract/index.ts";
import { openBridgeRig, type BridgeRig } from "../support/bridge-rig.ts";
import { aMessageFact } from "../support/builders.ts";
import { freePort } from "../support/product-process.ts";
import { startPuppetHub, type PuppetHub } from "../support/puppet-hub.ts";
import { until } from "../support/until.ts";

interface Shown {
  id: string;
  url: string;
  enabled: boolean;
  state: string;
  lastSuccessAt: string | null;
  pending: number;
  secretFingerprints?: string[];
}

async function openHub(): Promise<PuppetHub> {
  const dataDir = await folder("hub-");
  const hub = await startPuppetHub({ dataDir, port: await freePort() });
  onTestFinished(() => hub.stop());
  await hub.link("s1");
  return hub;
}

async function folder(name: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), name));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const start = (hub: PuppetHub, life: { dir: string; port: number; secret: string }): Promise<BridgeRig> =>
  openBridgeRig({
    env: {
      BRIDGE_HUB_URL: hub.url,
      BRIDGE_HUB_API_KEY: hub.apiKey,
      BRIDGE_DATA_DIR: life.dir,
      BRIDGE_PORT: String(life.port),
      BRIDGE_WEBHOOK_SECRET: life.secret,
    },
    overrides: { clock: { now: () => new Date() } },
  });

const endpoints = async ({ client }: PuppetHub): Promise<Shown[]> =>
  (await client.get<{ endpoints: Shown[] }>("/api/endpoints?limit=100")).endpoints;

const places = (rig: BridgeRig): unknown[] =>
  rig.log.lines("subscription.ready").map(({ facts }) => facts["outcome"]);

const inPlace = (rig: BridgeRig): Promise<unknown> =>
  until("the bridge has its place", () => places(rig).length > 0);

/** Each in a chat of its own, so that one which waits for its next try holds up no other. */
async function says(hub: PuppetHub, count = 1): Promise<void> {
  for (let n = 1; n <= count; n += 1)
    await hub.tell("s1", [aMessageFact({ chatId: `3460011122${n}@s.whatsapp.net` })]);
}

const allDelivered = (hub: PuppetHub): Promise<unknown> =>
  until("every endpoint has what it is owed", async () =>
    (await endpoints(hub)).every(({ pending }) => pending === 0),
  );

async function statesOf({ client }: PuppetHub, endpointId: string): Promise<string[]> {
  const path = `/api/deliveries?endpointId=${endpointId}&event=message.received&limit=100`;
  const { deliveries } = await client.get<{ deliveries: { state: string }[] }>(path);
  return deliveries.map(({ state }) => state);
}

/** As the folder was an hour ago: its endpoint has been told of much since. */
async function aged(from: string, to: string): Promise<void> {
  const kept = z
    .looseObject({ endpoint: z.looseObject({ lookedAt: z.iso.datetime() }) })
    .parse(JSON.parse(await readFile(from, "utf8")));
  kept.endpoint.lookedAt = new Date(Date.now() - 3_600_000).toISOString();
  await writeFile(to, JSON.stringify(kept));
}

test("a changed secret is brought to the hub, and what waited meanwhile arrives by webhook", async () => {
  const hub = await openHub();
  const life = { dir: await folder("bridge-"), port: await freePort(), secret: makeSecret() };
  const first = await start(hub, life);
  await inPlace(first);
  const [before] = await endpoints(hub);
  await first.bridge.stop();
  await says(hub, 3);
  const second = await start(hub, { ...life, secret: makeSecret() });
  await inPlace(second);
  await allDelivered(hub);
  const after = await endpoints(hub);
  expect(after).toMatchObject([{ id: before?.id, url: before?.url, enabled: true }]);
  expect(await statesOf(hub, before?.id ?? "")).toEqual(["delivered", "delivered", "delivered"]);
  expect(places(second)).toEqual(["secret rotated"]);
  expect(second.log.text()).not.toContain("whsec_");
});

test("the same where the bridge's memory was lost with it", async () => {
  const hub = await openHub();
  const life = { port: await freePort(), secret: makeSecret() };
  const first = await start(hub, { ...life, dir: await folder("bridge-") });
  await inPlace(first);
  await first.bridge.stop();
  const second = await start(hub, { ...life, dir: await folder("bridge-"), secret: makeSecret() });
  await inPlace(second);
  await says(hub);
  await allDelivered(hub);
  expect(await endpoints(hub)).toHaveLength(1);
});

test("a bridge at another address takes its endpoint along, and what waited goes there", async () => {
  const hub = await openHub();
  const life = { dir: await folder("bridge-"), port: await freePort(), secret: makeSecret() };
  const first = await start(hub, life);
  await inPlace(first);
  const [before] = await endpoints(hub);
  await first.bridge.stop();
  await says(hub, 3);
  const port = await freePort();
  const second = await start(hub, { ...life, port });
  await inPlace(second);
  await allDelivered(hub);
  expect(await endpoints(hub)).toMatchObject([
    { id: before?.id, url: `http://127.0.0.1:${port}/webhook`, enabled: true },
  ]);
  expect(await statesOf(hub, before?.id ?? "")).toEqual(["delivered", "delivered", "delivered"]);
  expect(places(second)).toEqual(["moved"]);
});

test("one whose former address said that it is gone is resumed where it moves to", async () => {
  const hub = await openHub();
  const life = { dir: await folder("bridge-"), port: await freePort(), secret: makeSecret() };
  const first = await start(hub, life);
  await inPlace(first);
  await first.bridge.stop();
  const gone = createServer((_request, response) => response.writeHead(410).end());
  await new Promise<void>((listening) => gone.listen(life.port, "127.0.0.1", listening));
  onTestFinished(() => void gone.close());
  await says(hub, 2);
  const state = async () => (await endpoints(hub))[0]?.state;
  await until("the hub believes that it is gone", async () => (await state()) === "paused");
  const second = await start(hub, { ...life, port: await freePort() });
  await inPlace(second);
  await allDelivered(hub);
  expect(await state()).toBe("active");
  expect(places(second)).toEqual(["moved, resumed"]);
});

test("a bridge on a copy of another one's folder leaves that one's endpoint alone", async () => {
  const hub = await openHub();
  const life = { dir: await folder("bridge-"), port: await freePort(), secret: makeSecret() };
  const original = await start(hub, life);
  await inPlace(original);
  const [before] = await endpoints(hub);
  const copy = { ...life, dir: await folder("bridge-"), port: await freePort() };
  await aged(join(life.dir, "bridge.json"), join(copy.dir, "bridge.json"));
  await says(hub);
  await until("the hub shows that it arrived", async () =>
    (await endpoints(hub)).every(({ lastSuccessAt }) => lastSuccessAt !== null),
  );
  const second = await start(hub, copy);
  await inPlace(second);
  expect(places(second)).toEqual(["created"]);
  const advice = second.log.lines("subscription.advice").map(({ facts }) => facts);
  expect(advice.map((facts) => facts["advice"])).toEqual([expect.stringContaining(before?.id ?? "?")]);
  expect(advice[0]?.["advice"]).toContain("something else answers");
  const mine = (await endpoints(hub)).find(({ id }) => id === before?.id);
  expect(mine).toMatchObject({ url: before?.url, secretFingerprints: before?.secretFingerprints });
});

test("where it was no copy, what waits for the former address arrives as the advice says", async () => {
  const hub = await openHub();
  const life = { dir: await folder("bridge-"), port: await freePort(), secret: makeSecret() };
  const first = await start(hub, life);
  await inPlace(first);
  const [before] = await endpoints(hub);
  const former = before?.id ?? "?";
  await first.bridge.stop();
  await aged(join(life.dir, "bridge.json"), join(life.dir, "bridge.json"));
  // The page of a proxy, for a while; then nobody is there.
  const page = createServer((_request, response) => response.writeHead(200).end("<p>Back soon</p>"));
  await new Promise<void>((listening) => page.listen(life.port, "127.0.0.1", listening));
  await says(hub);
  await until("the hub shows that it arrived", async () =>
    (await endpoints(hub)).every(({ lastSuccessAt }) => lastSuccessAt !== null),
  );
  page.closeAllConnections();
  page.close();
  await says(hub, 2);
  const second = await start(hub, { ...life, port: await freePort() });
  await inPlace(second);
  const [told] = second.log.lines("subscription.advice").map(({ facts }) => facts);
  expect(told?.["advice"]).toContain(former);
  const url = String(told?.["url"]);
  await hub.client.put(`/api/endpoints/${former}`, { url });
  await hub.client.delete(`/api/endpoints/${String(told?.["endpointId"])}`);
  await allDelivered(hub);
  expect(await endpoints(hub)).toMatchObject([{ id: former, url }]);
  expect(await statesOf(hub, former)).toEqual(["delivered", "delivered", "delivered"]);
});

test("two bridges at one hub never touch each other's endpoint", async () => {
  const hub = await openHub();
  const secret = makeSecret();
  const one = { dir: await folder("bridge-"), port: await freePort(), secret };
  const other = { dir: await folder("bridge-"), port: await freePort(), secret };
  const [first, neighbour] = [await start(hub, one), await start(hub, other)];
  await inPlace(first);
  await inPlace(neighbour);
  const urlOf = ({ port }: { port: number }) => `http://127.0.0.1:${port}/webhook`;
  const ofNeighbour = async () => (await endpoints(hub)).find(({ url }) => url === urlOf(other));
  const before = await ofNeighbour();
  expect(before).toBeDefined();
  await first.bridge.stop();
  const moved = { ...one, port: await freePort(), secret: makeSecret() };
  const second = await start(hub, moved);
  await inPlace(second);
  await says(hub, 2);
  await allDelivered(hub);
  expect(places(second)).toEqual(["secret rotated, moved"]);
  expect((await endpoints(hub)).map(({ url }) => url).sort()).toEqual([urlOf(moved), urlOf(other)].sort());
  expect(await ofNeighbour()).toMatchObject({
    id: before?.id,
    secretFingerprints: before?.secretFingerprints,
  });
});
