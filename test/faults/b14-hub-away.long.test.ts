/** B14: the hub is away; what the CRM sends meanwhile waits on the disk, in order per chat, until the hub is back or its time ends. */
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { listIn } from "../support/http-rig.ts";
import { SITE_KEY, type BridgeSite } from "../support/bridge-site.ts";
import { until } from "../support/until.ts";
import { openBridgeStand, messages, person, SESSION, settle, type BridgeStand } from "./bridge-stand.ts";
import { send } from "./bridge-sends.ts";

const LIMIT_MS = 120_000;

type Orders = { waiting: number; orders: Record<string, unknown>[] };
const queueOf = async ({ crm }: BridgeSite): Promise<Orders> => {
  const answer = await crm.method<Record<string, unknown>>("messages.list_queued");
  return { waiting: Number(answer["waiting"]), orders: listIn(answer, "orders") };
};

/** What left for WhatsApp, as `chat text`. */
const leftOf = ({ hub }: Pick<BridgeStand, "hub">, to: number): string[] =>
  hub.sent
    .filter(({ chatId }) => chatId === person(to))
    .map(({ content }) => (content.kind === "text" ? content.text : content.kind));

/** A bridge that never heard of the session has nothing to keep orders for. */
async function stopHub({ hub, site }: Pick<BridgeStand, "hub" | "site">): Promise<void> {
  const headers = { Authorization: `token ${SITE_KEY}` };
  await until("the bridge knows the session", async () => {
    const answer = await fetch(`${site.url}/api/connections`, { headers });
    return (await answer.text()).includes('"sessionExists":true');
  });
  await hub.stop();
}

const connected = (hub: BridgeStand["hub"]): Promise<boolean> =>
  until("the session connected", async () => {
    const { isConnected } = await hub.client.get<{ isConnected: boolean }>(`/api/sessions/${SESSION}/status`);
    return isConnected;
  });

test(
  "B14: while the hub is away the CRM's sends are queued, kept over kills of the bridge, and sent in order per chat, each once",
  async () => {
    const { hub, site } = await openBridgeStand();
    await hub.tell(SESSION, messages(10, { live: false }));
    await site.start();
    expect(await settle({ hub }, site)).toEqual([]);
    await stopHub({ hub, site });
    const first = await send(site, { text: "a1", key: "first" });
    expect(first.message).toMatchObject({ success: true, status: "queued", message_id: null });
    const [queued, expires] = [first.message["queued_at"], first.message["expires_at"]].map((at) =>
      Date.parse(String(at)),
    );
    expect((expires ?? 0) - (queued ?? 0)).toBe(86_100_000);
    const began = performance.now();
    for (let n = 2; n <= 5; n++) {
      await send(site, { text: `a${n}` });
      await send(site, { text: `b${n}`, to: 2 });
    }
    console.log(`B14: 8 more answered in ${Math.round(performance.now() - began)} ms`);
    expect((await send(site, { text: "a1", key: "first" })).message["queue_id"]).toBe(
      first.message["queue_id"],
    );
    expect((await fetch(`${site.url}/health`)).status).toBe(200);
    expect(await (await fetch(`${site.url}/readyz`)).json()).toMatchObject({
      ready: false,
      checks: { outgoing: { waiting: 9, failed: 0 } },
    });
    expect(await (await fetch(`${site.url}/metrics`)).text()).toContain("inbox_bridge_sends_waiting 9");

    await site.kill();
    await site.start();
    expect((await queueOf(site)).waiting).toBe(9);
    expect((await send(site, { text: "a6" })).message).toMatchObject({ status: "queued" });

    // Killed in the middle of sending, too: WhatsApp has some of them, the hub's answers are lost.
    let held = 0;
    hub.onSend = () => (++held > 3 ? new Promise(() => undefined) : undefined);
    await hub.start();
    await until("some are on their way", () => held > 3, { timeoutMs: 60_000 });
    await site.kill();
    await hub.stop();
    hub.onSend = () => undefined;
    await hub.start();
    await site.start();
    await until("nothing waits", async () => (await queueOf(site)).waiting === 0, { timeoutMs: 60_000 });
    expect(leftOf({ hub }, 1).filter((text, n, all) => all.indexOf(text) === n)).toEqual([
      "a1",
      "a2",
      "a3",
      "a4",
      "a5",
      "a6",
    ]);
    expect(leftOf({ hub }, 2).filter((text, n, all) => all.indexOf(text) === n)).toEqual([
      "b2",
      "b3",
      "b4",
      "b5",
    ]);
    // What was on its way when everything was killed went out again under the same id: WhatsApp shows it once.
    expect(new Set(hub.sent.map(({ messageId }) => messageId)).size).toBe(10);
    const { orders } = await queueOf(site);
    expect(orders.map(({ status }) => status)).toEqual(orders.map(() => "sent"));
    expect(await settle({ hub }, site)).toEqual([]);
    const rows = await site.crm.all<{ content: string }>("WhatsApp Message", ["content"]);
    expect(rows.filter(({ content }) => /^[ab]\d$/.test(content))).toHaveLength(10);
    const sent = await send(site, { text: "a1", key: "first" });
    const its = orders.find((order) => order["queue_id"] === first.message["queue_id"]);
    expect([sent.status, sent.messageId]).toEqual([200, its?.["message_id"]]);
    expect(site.output()).not.toContain(person(1).slice(0, 11));
  },
  LIMIT_MS,
);

test(
  "B14: an order whose time ends before the hub is back expires with the reason, and is never sent",
  async () => {
    const { hub, site } = await openBridgeStand({ BRIDGE_SEND_TTL_S: "8" });
    await site.start();
    await stopHub({ hub, site });
    expect((await send(site, { text: "late" })).message).toMatchObject({ status: "queued" });
    await until("it is given up", async () => (await queueOf(site)).waiting === 0);
    const [order] = (await queueOf(site)).orders;
    expect(order).toMatchObject({ status: "expired", message_id: null });
    expect(String(order?.["error"])).toContain("ECONNREFUSED");
    await hub.start();
    await connected(hub);
    expect((await send(site, { text: "now" })).messageId).not.toBeNull();
    expect(leftOf({ hub }, 1)).toEqual(["now"]);
  },
  LIMIT_MS,
);

test(
  "B14: with BRIDGE_SEND_TTL_S=0 sends are refused with a word on when to come back; then both directions go on",
  async () => {
    const { hub, site } = await openBridgeStand({ BRIDGE_SEND_TTL_S: "0" });
    await hub.tell(SESSION, messages(10, { live: false }));
    await site.start();
    expect(await settle({ hub }, site)).toEqual([]);
    await stopHub({ hub, site });
    const orders = ["first", "second"].map((text) => ({ text, key: `away-${text}` }));
    const refused = await Promise.all(orders.map((order) => send(site, order)));
    expect(refused.map(({ status }) => status)).toEqual([503, 503]);
    expect(await site.crm.count("WhatsApp Message")).toBe(10);

    await hub.start();
    await connected(hub);
    await hub.tell(SESSION, messages(10));
    for (const order of orders) expect((await send(site, order)).status).toBe(200);
    expect(leftOf({ hub }, 1)).toEqual(["first", "second"]);
    expect(await settle({ hub }, site)).toEqual([]);
    expect((await fetch(`${site.url}/readyz`)).status).toBe(200);
  },
  LIMIT_MS,
);

test(
  "B14: killed at any moment while orders come in, the bridge has every order that it answered, and sends each once",
  async () => {
    // Together below the 60 in a minute that the hub takes of a session: what is beyond waits for the next minute.
    const [ROUNDS, CALLERS, EACH] = [5, 3, 3];
    const seed = Math.floor(Math.random() * 1_000_000);
    console.log(`B14: seed ${seed}`);
    const { hub, site } = await openBridgeStand();
    await hub.tell(SESSION, messages(4, { live: false }));
    await site.start();
    expect(await settle({ hub }, site)).toEqual([]);
    await stopHub({ hub, site });
    const answered: string[] = [];
    const others: string[] = [];
    let ordered = 0;
    // A slow machine answers little before the kill: then it is killed more often.
    const isEnough = (): boolean => answered.length > ROUNDS;
    for (let round = 0; round < ROUNDS || (!isEnough() && round < 4 * ROUNDS); round++) {
      let isKilled = false;
      const order = async (): Promise<void> => {
        const text = `order ${++ordered}`;
        const to = ordered % 3;
        const answer = await send(site, { text, to }).catch(String);
        const isQueued = typeof answer !== "string" && answer.message["status"] === "queued";
        if (isQueued) answered.push(text);
        else others.push(JSON.stringify(answer));
      };
      await order(); // finds out that the hub is away
      const kill = pause((seed * (round + 3) * 7919) % 300).then(async () => {
        isKilled = true;
        await site.kill();
      });
      // Several at once, as in a shop.
      const caller = async (): Promise<void> => {
        for (let n = 0; n < EACH && !isKilled; n++) await order();
      };
      await Promise.all([kill, ...Array.from({ length: CALLERS }, caller)]);
      await site.start();
    }
    const { waiting } = await queueOf(site);
    console.log(`B14: ${answered.length} of ${ordered} answered, ${waiting} kept`);
    expect(isEnough(), others.join("\n")).toBe(true);
    await hub.start();
    const began = performance.now();
    await until("nothing waits", async () => (await queueOf(site)).waiting === 0, { timeoutMs: 90_000 });
    console.log(`B14: all sent in ${Math.round(performance.now() - began)} ms`);
    const left = [0, 1, 2].flatMap((to) => leftOf({ hub }, to));
    expect(answered.filter((text) => !left.includes(text))).toEqual([]);
    expect(new Set(left).size).toBe(left.length);
    expect(await settle({ hub }, site)).toEqual([]);
  },
  LIMIT_MS * 2,
);
