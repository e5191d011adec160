/** An endpoint's own headers, often the credential of its CRM: sealed on the disk, sent nowhere but where they were meant for. */
import { expect, test } from "vitest";
import { createEndpoints } from "../../hub/outbox/endpoints.ts";
import { openOutboxRig, placeCipher, type OutboxRig } from "../support/outbox-rig.ts";

const CREDENTIAL = "token k:very-own";
const headers = { Authorization: CREDENTIAL, "X-Tenant": "7" };

const stored = async ({ store }: OutboxRig, id: string): Promise<string> =>
  JSON.stringify((await store.endpoints.get(id))?.headers);

/** Another life of the hub, on the same store. */
const reopened = ({ store, clock, guard }: OutboxRig, told: string[] = []) => {
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (_facts: object, event: string) => void told.push(event),
  };
  return createEndpoints({
    store: store.endpoints,
    cipher: placeCipher,
    ...{ guard, clock, log, userAgent: "x" },
  });
};

const sealedFor = (place: string, value: string): string =>
  `\u0001${Buffer.from(`${place}|${value}`).toString("base64")}`;

test("are sealed in the store, each for its own place, and opened to be sent", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  const { id } = await rig.endpoint(crm, { headers });
  expect((await rig.store.endpoints.get(id))?.headers).toEqual({
    Authorization: sealedFor(`endpoint:${id}:header:authorization`, CREDENTIAL),
    "X-Tenant": sealedFor(`endpoint:${id}:header:x-tenant`, "7"),
  });
  expect((await reopened(rig).get(id)).headers).toEqual(headers);
  await rig.endpoints.update(id, { description: "CRM" });
  expect(await stored(rig, id)).not.toContain(CREDENTIAL);
  await rig.says("34600111222");
  await rig.dispatcher.idle();
  expect(crm.requests()[0]?.headers).toMatchObject({ authorization: CREDENTIAL, "x-tenant": "7" });
});

test("that an earlier version stored in plain work, and are sealed at the next start", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  const { id } = await rig.endpoint(crm);
  const row = await rig.store.endpoints.get(id);
  if (row === null) throw new Error("it is not there");
  await rig.store.endpoints.save({ ...row, headers });
  expect((await reopened(rig).get(id)).headers).toEqual(headers);
  const endpoints = reopened(rig);
  await endpoints.sealEarlier();
  expect(await stored(rig, id)).not.toContain(CREDENTIAL);
  const sealed = await stored(rig, id);
  expect((await endpoints.get(id)).headers).toEqual(headers);
  await endpoints.sealEarlier();
  expect(await stored(rig, id)).toBe(sealed);
});

test("one that cannot be opened is left out and told; the endpoint and its other headers work", async () => {
  const rig = await openOutboxRig();
  const { id } = await rig.endpoint(await rig.crm(), { headers });
  const row = await rig.store.endpoints.get(id);
  if (row === null) throw new Error("it is not there");
  const moved = sealedFor("endpoint:ep_other:header:authorization", CREDENTIAL);
  await rig.store.endpoints.save({ ...row, headers: { ...row.headers, Authorization: moved } });
  const told: string[] = [];
  expect((await reopened(rig, told).get(id)).headers).toEqual({ "X-Tenant": "7" });
  expect(told).toEqual(["endpoint.header_unreadable"]);
});

test("go when the URL leads to another scheme, host or port, and nobody gives them anew", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  const other = await rig.crm();
  const { id } = await rig.endpoint(crm, { headers });
  const headersAfter = async (url: string): Promise<Record<string, string>> =>
    (await rig.endpoints.update(id, { url })).headers;
  expect(await headersAfter(`${crm.url}/another/path?of=it`)).toEqual(headers);
  expect(await headersAfter(other.url)).toEqual({});
  expect(rig.logged("endpoint.headers_dropped")).toEqual([
    { endpointId: id, headers: ["Authorization", "X-Tenant"] },
  ]);
  await rig.says("34600111222");
  await rig.dispatcher.idle();
  expect(other.requests()[0]?.headers).not.toHaveProperty("authorization");

  const given = { ...headers, Authorization: "token of:another" };
  expect((await rig.endpoints.update(id, { url: crm.url, headers: given })).headers).toEqual(given);
  expect(await headersAfter("https://93.184.216.34/hook")).toEqual({});
});

test("of a session's webhook do not follow it to another host either", async () => {
  const rig = await openOutboxRig();
  const [crm, other] = [await rig.crm(), await rig.crm()];
  const { endpoint } = await rig.endpoints.setForSession("s1", { url: crm.url });
  await rig.endpoints.update(endpoint?.id ?? "", { headers });
  const moved = await rig.endpoints.setForSession("s1", { url: other.url });
  expect(moved.endpoint?.headers).toEqual({});
});
