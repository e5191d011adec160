/** B10, B11: the hub tells everything again; records and the bridge's own memory disappear. */
import { expect, test } from "vitest";
import type { BridgeSite } from "../support/bridge-site.ts";
import { until } from "../support/until.ts";
import { messages, openBridgeStand, person, SESSION, settle } from "./bridge-stand.ts";
import { differences, messagesOfCrm } from "./hub-and-crm.ts";
import { isInEarnest } from "./in-earnest.ts";

const LIMIT_MS = 180_000;
const MANY = isInEarnest() ? 100_000 : 10_000;
/** In which a hub tells that many again. */
const TOLD_MS = isInEarnest() ? 30 * 60_000 : 120_000;
const AT_ONCE = 500;
const READ_AT_ONCE = 10_000;
/** The CRM's users must not notice: an ordinary page. */
const PAGE_MS = 2_000;

interface Reconciled {
  differences: { contacts: number; chats: number; messages: number };
  repaired: number;
}
interface Stats {
  pending: number;
  retrying: number;
}

test(
  `B10: ${MANY} events that the CRM has are told again: none is written again, and the CRM stays usable`,
  async () => {
    const { hub, site } = await openBridgeStand();
    await site.start();
    expect(await settle({ hub }, site)).toEqual([]);
    // The first telling is by the feed: each delivery is given up, to be told again later.
    const { endpoints } = await hub.client.get<{ endpoints: { id: string }[] }>("/api/endpoints");
    const [endpoint] = endpoints;
    await hub.client.post(`/api/endpoints/${endpoint?.id}/pause`);
    for (let n = AT_ONCE; n <= MANY; n += AT_ONCE) {
      await hub.tell(SESSION, messages(AT_ONCE, { chats: 100 }));
      // Each reading is one answer that somebody waits for.
      if (n % READ_AT_ONCE === 0) await site.crm.method("sync.reconcile");
    }
    expect(differences(hub, site)).toEqual([]);
    const newest = (): number =>
      site.inFile((db) => db.prepare<[], number>("SELECT max(n) FROM whatsapp_message").pluck().get() ?? 0);
    const before = newest();
    await hub.client.post("/api/deliveries/dismiss", { sessionId: SESSION });
    await hub.client.post(`/api/endpoints/${endpoint?.id}/resume`);

    const since = performance.now();
    await hub.client.post("/api/deliveries/replay", { sessionId: SESSION });
    let slowest = 0;
    const reading = setInterval(() => {
      const asked = performance.now();
      void site.crm.count("WhatsApp Message").then(() => {
        slowest = Math.max(slowest, performance.now() - asked);
      });
    }, 100);
    await until(
      "everything told again",
      async () => {
        const { pending, retrying } = await hub.client.get<Stats>("/api/deliveries/stats");
        return pending + retrying === 0;
      },
      // Counting what is owed costs the hub more than the telling of some of it.
      { timeoutMs: TOLD_MS, everyMs: isInEarnest() ? 5000 : 1000 },
    );
    clearInterval(reading);
    const seconds = (performance.now() - since) / 1000;
    console.log(`B10: ${MANY} told again in ${seconds.toFixed(1)} s, slowest page ${slowest.toFixed(0)} ms`);
    expect(await settle({ hub }, site)).toEqual([]);
    expect(newest()).toBe(before);
    expect(slowest).toBeLessThan(PAGE_MS);
  },
  LIMIT_MS + TOLD_MS * 2,
);

test(
  "B11: 500 messages, two chats and two contacts deleted by hand are restored by the comparison, once each",
  async () => {
    const { hub, site } = await openBridgeStand();
    await hub.tell(SESSION, [...Array(6).keys()].map(contactNamed));
    await hub.tell(SESSION, messages(900, { chats: 6, live: false }));
    await site.start();
    expect(await settle({ hub }, site)).toEqual([]);
    const before = chatsAndContacts(site);
    const deleted = site.inFile((db) => {
      const run = (sql: string): number => db.prepare(sql).run().changes;
      const someOf = (table: string, count: number): number =>
        run(`DELETE FROM ${table} WHERE n IN (SELECT n FROM ${table} ORDER BY random() LIMIT ${count})`);
      const chats = someOf("whatsapp_conversation", 2);
      // A chat takes its messages with it.
      const ofChats =
        900 - (db.prepare<[], number>("SELECT count(*) FROM whatsapp_message").pluck().get() ?? 0);
      const others = someOf("whatsapp_message", 500 - ofChats);
      return { chats, ofChats, messages: ofChats + others, contacts: someOf("whatsapp_contact", 2) };
    });
    expect(deleted).toEqual({ chats: 2, ofChats: 300, messages: 500, contacts: 2 });
    const found = await site.crm.method<Reconciled>("sync.reconcile", { session_name: SESSION });
    expect(found).toMatchObject({ success: true, differences: { contacts: 2 } });
    expect(found.differences.chats).toBeGreaterThanOrEqual(2);
    expect(found.differences.messages).toBeGreaterThanOrEqual(500);
    expect(await settle({ hub }, site)).toEqual([]);
    expect(chatsAndContacts(site)).toEqual(before);
    const again = await site.crm.method<Reconciled>("sync.reconcile", { session_name: SESSION });
    expect(again).toMatchObject({ differences: { messages: 0, chats: 0, contacts: 0 }, repaired: 0 });
  },
  LIMIT_MS,
);

test(
  "B11: a bridge whose memory is deleted reads everything from the hub, also what the CRM lost, and writes nothing twice",
  async () => {
    const { hub, site } = await openBridgeStand();
    await hub.tell(SESSION, messages(600, { chats: 6, live: false }));
    await site.start();
    await hub.tell(SESSION, messages(20));
    expect(await settle({ hub }, site)).toEqual([]);
    await site.kill();
    await site.forget();
    site.inFile((db) => db.exec("DELETE FROM whatsapp_message WHERE n % 3 = 0"));
    await hub.tell(SESSION, messages(20));
    await site.start();
    expect(await settle({ hub }, site)).toEqual([]);
    expect(messagesOfCrm(site)).toHaveLength(640);
  },
  LIMIT_MS,
);

/** What people see in their lists, and the contact that each chat leads to. */
const chatsAndContacts = (site: BridgeSite): unknown =>
  site.inFile((db) => ({
    chats: db
      .prepare(
        `SELECT v.chat_id, v.contact_name, v.phone_number, v.last_message, v.last_message_time, c.contact_id
         FROM whatsapp_conversation v LEFT JOIN whatsapp_contact c ON c.name = v.contact ORDER BY 1`,
      )
      .all(),
    contacts: db
      .prepare("SELECT contact_id, contact_name, phone_number FROM whatsapp_contact ORDER BY 1")
      .all(),
  }));

const contactNamed = (n: number) => ({
  kind: "contact" as const,
  jid: person(n),
  change: { name: `Person ${n}`, isMyContact: true },
  live: false,
});
