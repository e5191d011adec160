/** B4, B9: the CRM's file is held by another program, its disk is slow, its queue is down. Nothing is answered with 2xx that is not written. */
import { expect, onTestFinished, test } from "vitest";
import { startFrappeSite, type FrappeSite } from "../support/frappe-site.ts";
import { until } from "../support/until.ts";
import {
  hurry,
  messages,
  messagesOfCrm,
  openBridgeStand,
  SESSION,
  settle,
  type BridgeStand,
} from "./bridge-stand.ts";

const LIMIT_MS = 120_000;
const TOLD = 24;

interface Delivery {
  state: string;
  lastStatus: number | null;
}
const deliveriesOf = async ({ hub }: Pick<BridgeStand, "hub">): Promise<Delivery[]> =>
  (await hub.client.get<{ deliveries: Delivery[] }>("/api/deliveries?event=message.received&limit=500"))
    .deliveries;

test(
  "B4: another program holds the CRM's file: 503 and never 2xx, the bridge still answers, and then everything is written once",
  async () => {
    const { hub, site } = await openBridgeStand();
    await site.start();
    expect(await settle({ hub }, site)).toEqual([]);

    const other = site.open();
    onTestFinished(() => void other.close());
    other.exec("BEGIN IMMEDIATE");
    await hub.tell(SESSION, messages(TOLD));
    await until("the hub to be told to come back", async () =>
      (await deliveriesOf({ hub })).some(({ lastStatus }) => lastStatus === 503),
    );
    expect((await deliveriesOf({ hub })).filter(({ state }) => state === "delivered")).toEqual([]);
    expect((await fetch(`${site.url}/health`)).status).toBe(200);
    expect((await fetch(`${site.url}/readyz`)).status).toBe(503);
    expect(messagesOfCrm(site)).toEqual([]);

    other.exec("ROLLBACK");
    expect(await settle({ hub }, site)).toEqual([]);
    expect(messagesOfCrm(site)).toHaveLength(TOLD);
    expect(site.output()).not.toContain("34600100");
  },
  LIMIT_MS,
);

test(
  "B4: a file that is held half of the time is slow and nothing else: every message once",
  async () => {
    const { hub, site } = await openBridgeStand();
    await site.start();
    expect(await settle({ hub }, site)).toEqual([]);
    const other = site.open();
    onTestFinished(() => void other.close());
    let [holds, told] = [0, 0];
    const turn = async (): Promise<void> => {
      holds += other.inTransaction ? 0 : 1;
      other.exec(other.inTransaction ? "COMMIT" : "BEGIN IMMEDIATE");
      if (told < TOLD) await hub.tell(SESSION, messages(2));
      told += 2;
    };
    const timer = setInterval(() => void turn(), 150);
    await until("every message to get through", () => messagesOfCrm(site).length === TOLD, {
      timeoutMs: 60_000,
    });
    clearInterval(timer);
    if (other.inTransaction) other.exec("COMMIT");
    console.log(`B4: held ${holds} times`);
    expect(await settle({ hub }, site)).toEqual([]);
  },
  LIMIT_MS,
);

const keysOf = (site: FrappeSite): string[] =>
  site
    .rows("WhatsApp Message")
    .map(({ message_id: id }) => String(id))
    .sort();

test(
  "B9: the CRM's background queue is down: it says so, the bridge says 503, and what waited is written once",
  async () => {
    const frappe = await startFrappeSite({ app: true });
    onTestFinished(() => frappe.stop());
    const { hub, site } = await openBridgeStand({
      BRIDGE_CRM: "frappe",
      FRAPPE_URL: frappe.url,
      FRAPPE_API_KEY: frappe.apiKey,
      FRAPPE_API_SECRET: frappe.apiSecret,
    });
    await hub.tell(SESSION, messages(5, { live: false }));
    await site.start();
    await until("the CRM filled", () => keysOf(frappe).length === 5);

    frappe.troubles(({ method }) =>
      method === "GET"
        ? null
        : {
            kind: "status",
            status: 503,
            headers: { "retry-after": "1" },
            body: '{"exc_type":"BusyLoadingError","exception":"redis.exceptions.ConnectionError: the queue is down"}',
          },
    );
    await hub.tell(SESSION, messages(TOLD));
    await until("the hub to be told to come back", async () =>
      (await deliveriesOf({ hub })).some(({ lastStatus }) => lastStatus === 503),
    );
    expect((await deliveriesOf({ hub })).filter(({ state }) => state === "delivered")).toEqual([]);
    expect(keysOf(frappe)).toHaveLength(5);

    frappe.troubles();
    await hurry(hub);
    await until("everything written", () => keysOf(frappe).length >= 5 + TOLD, { timeoutMs: 60_000 });
    await until("nothing owed", async () => {
      await hurry(hub);
      return (await deliveriesOf({ hub })).every(({ state }) => state === "delivered");
    });
    expect(new Set(keysOf(frappe)).size).toBe(keysOf(frappe).length);
    expect(keysOf(frappe)).toHaveLength(5 + TOLD);
  },
  LIMIT_MS,
);
