/** B12, B13: sends without an answer, two bridges on one hub, and one that comes back older. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { until } from "../support/until.ts";
import { messages, openBridgeStand, person, SESSION, settle } from "./bridge-stand.ts";
import { send } from "./bridge-sends.ts";
import { messagesOfCrm } from "./hub-and-crm.ts";

const LIMIT_MS = 120_000;

test(
  "B12: a send that timed out is repeated under its key, over a kill of the bridge as well: one message",
  async () => {
    const { hub, site } = await openBridgeStand();
    await hub.tell(SESSION, messages(4, { live: false }));
    await site.start();
    expect(await settle({ hub }, site)).toEqual([]);
    let release: () => void = () => undefined;
    let [held, isFree] = [0, false];
    hub.onSend = () => {
      held += 1;
      return isFree ? undefined : new Promise((resolve) => (release = resolve));
    };

    const order = { text: "one order", key: "order-7" };
    await expect(send(site, { ...order, patienceMs: 1_000 })).rejects.toThrow();
    await until("it is on its way to WhatsApp", () => held === 1);
    await expect(send(site, { ...order, patienceMs: 500 })).rejects.toThrow();
    await site.kill();
    await site.start();
    isFree = true;
    release();
    const first = await send(site, order);
    const again = await send(site, order);
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.messageId).toBe(first.messageId);
    expect(hub.sent.map(({ messageId }) => messageId)).toEqual([first.messageId]);
    expect((await send(site, { ...order, key: "order-8" })).messageId).not.toBe(first.messageId);
    expect(hub.sent).toHaveLength(2);
    expect(await settle({ hub }, site)).toEqual([]);
    const rows = await site.crm.all<{ content: string }>("WhatsApp Message", ["content"]);
    expect(rows.filter(({ content }) => content === order.text)).toHaveLength(2);
  },
  LIMIT_MS,
);

test(
  "B13: two bridges on one hub: each has its own mark and everything once, whatever the other does",
  async () => {
    const { hub, site, another } = await openBridgeStand();
    const second = await another();
    await hub.tell(SESSION, messages(40, { live: false }));
    await site.start();
    await second.start();
    await hub.tell(SESSION, messages(20));
    expect(await settle({ hub }, site)).toEqual([]);
    expect(await settle({ hub }, second)).toEqual([]);

    await second.kill();
    await hub.tell(SESSION, messages(20));
    await site.crm.method("sync.reconcile");
    await until("the first has everything", () => messagesOfCrm(site).length === 80);
    expect(messagesOfCrm(second)).toHaveLength(60);
    await second.start();
    expect(await settle({ hub }, second)).toEqual([]);
    expect(await settle({ hub }, site)).toEqual([]);
    const { endpoints } = await hub.client.get<{ endpoints: { url: string }[] }>("/api/endpoints");
    expect(endpoints.map(({ url }) => url).sort()).toEqual(
      [`${site.url}/webhook`, `${second.url}/webhook`].sort(),
    );
  },
  LIMIT_MS,
);

test.each([
  ["and says so by its epoch", true],
  ["and says nothing: its numbers go back", false],
])(
  "B13: the hub is restored from an older backup %s: what it has now is in the CRM, and its news count",
  async (_what, saysSo) => {
    const { hub, site } = await openBridgeStand();
    await hub.tell(SESSION, messages(30, { live: false }));
    await hub.tell(SESSION, [contact("Ana")]);
    await site.start();
    await hub.tell(SESSION, messages(10));
    expect(await settle({ hub }, site)).toEqual([]);
    await hub.stop();
    const restore = await hub.backUp();
    await hub.start();
    await hub.tell(SESSION, messages(50));
    await hub.tell(SESSION, [contact("Ana María")]);
    expect(await settle({ hub }, site)).toEqual([]);
    expect(messagesOfCrm(site)).toHaveLength(90);

    await hub.stop();
    await restore();
    if (saysSo) raiseEpoch(hub.dataDir);
    await hub.start();
    await hub.tell(SESSION, messages(5));
    await hub.tell(SESSION, [contact("Ana Isabel")]);
    await site.crm.method("sync.reconcile");
    expect(await settle({ hub }, site, { more: true })).toEqual([]);
    // What the hub forgot stays in the CRM: nobody deletes customers' messages for it.
    expect(messagesOfCrm(site)).toHaveLength(95);
    expect(site.output()).toContain(saysSo ? '"why":"new_epoch"' : '"why":"ahead"');
    const names = await site.crm.all<{ contact_name: string }>("WhatsApp Contact", ["contact_name"]);
    expect(names.map(({ contact_name: name }) => name).filter((name) => name.startsWith("Ana"))).toContain(
      "Ana Isabel",
    );
    expect(names.map(({ contact_name: name }) => name)).not.toContain("Ana María");
    const { latestSeq } = await hub.client.get<{ latestSeq: number }>("/api/events?after=0&limit=1");
    expect(site.memory().mark).toBeLessThanOrEqual(latestSeq);
  },
  LIMIT_MS,
);

const contact = (name: string) => ({
  kind: "contact" as const,
  jid: person(0),
  change: { name, isMyContact: true },
  live: true,
});

/** What a restore by the hub's own means does. */
function raiseEpoch(dataDir: string): void {
  const db = new Database(join(dataDir, "hub.db"));
  db.prepare("UPDATE meta SET value = '2' WHERE key = 'epoch'").run();
  db.close();
}
