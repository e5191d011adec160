/** B4, B9: the CRM's file is held by another program, its disk is slow, its queue is down. Nothing is answered with 2xx that is not written. */
import { expect, onTestFinished, test } from "vitest";
import type { BridgeSite } from "../support/bridge-site.ts";
import { startFrappeSite, type FrappeSite } from "../support/frappe-site.ts";
import { until } from "../support/until.ts";
import {
  calm,
  messages,
  openBridgeStand,
  SESSION,
  settle,
  synced,
  type BridgeStand,
} from "./bridge-stand.ts";
import { messagesOfCrm } from "./hub-and-crm.ts";

const LIMIT_MS = 120_000;
const TOLD = 24;

interface Delivery {
  state: string;
  attempts: number;
  lastStatus: number | null;
}
const deliveriesOf = async ({ hub }: Pick<BridgeStand, "hub">): Promise<Delivery[]> =>
  (await hub.client.get<{ deliveries: Delivery[] }>("/api/deliveries?event=message.received&limit=500"))
    .deliveries;

/** How often the bridge took of the hub's feed what no webhook had brought. */
const readings = ({ output }: BridgeSite): number =>
  output().match(/"feed\.(read|hole_filled)"/g)?.length ?? 0;

/** A bridge that hears of what it missed by the hub's retries and not by its own reading. */
const openStand = (env: Record<string, string> = {}): Promise<BridgeStand> =>
  openBridgeStand(env, { onlyByRetries: true });

/** All were brought by the hub's own retries: some of them at a second attempt, and none was read of the feed. */
async function expectRedelivered(
  { hub, site }: Pick<BridgeStand, "hub" | "site">,
  read: number,
): Promise<void> {
  const deliveries = await deliveriesOf({ hub });
  expect(deliveries.map(({ state }) => state)).toEqual(Array.from({ length: TOLD }, () => "delivered"));
  expect(Math.max(...deliveries.map(({ attempts }) => attempts))).toBeGreaterThan(1);
  expect(readings(site)).toBe(read);
}

test(
  "B4: another program holds the CRM's file: 503 and never 2xx, the bridge still answers, and then everything is written once",
  async () => {
    const { hub, site } = await openStand();
    await site.start();
    await synced(site);
    expect(await settle({ hub }, site)).toEqual([]);
    const read = readings(site);

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
    await expectRedelivered({ hub, site }, read);
    expect(site.output()).not.toContain("34600100");
  },
  LIMIT_MS,
);

test(
  "B4: a file that is held half of the time is slow and nothing else: every message once",
  async () => {
    const { hub, site } = await openStand();
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
    const { hub, site } = await openStand({
      BRIDGE_CRM: "frappe",
      FRAPPE_URL: frappe.url,
      FRAPPE_API_KEY: frappe.apiKey,
      FRAPPE_API_SECRET: frappe.apiSecret,
    });
    await hub.tell(SESSION, messages(5, { live: false }));
    await site.start();
    await until("the CRM filled", () => keysOf(frappe).length === 5);
    await synced(site);
    expect(await calm({ hub }, site)).toEqual([]);
    const read = readings(site);

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
    expect(await calm({ hub }, site)).toEqual([]);
    await expectRedelivered({ hub, site }, read);
    expect(new Set(keysOf(frappe)).size).toBe(keysOf(frappe).length);
    expect(keysOf(frappe)).toHaveLength(5 + TOLD);
  },
  LIMIT_MS,
);
