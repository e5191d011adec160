/** The example receivers with an inbox of years: people whose hidden ids are told for the first time, by the page. */
import { expect, test } from "vitest";
import { openHttpAdapter } from "../../bridge/adapters/http/http-adapter.ts";
import { systemClock } from "../../bridge/clock.ts";
import { createLog } from "../../bridge/log.ts";
import { aContact, aMessage, EVA, GROUP } from "../conformance/crm/records.ts";
import { describeEachReceiver } from "../support/each-receiver.ts";
import type { HttpCrm } from "../support/http-crm.ts";

const MESSAGES = 300_000;
const batch = <T>(items: T[], position = 1) => ({ sessionId: "s1", position, items });

/** Copies of the messages that are there, each with an id of its own. */
function multiply({ db, table }: HttpCrm): void {
  const columns = db
    .prepare<[string], { name: string }>("SELECT name FROM pragma_table_info(?)")
    .all(table("message"))
    .map(({ name }) => name)
    .filter((name) => name !== "id");
  const values = columns.map((name) => (name === "message_id" ? "'M' || n" : `m.${name}`));
  db.exec(`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${MESSAGES / 2})
    INSERT INTO ${table("message")} (${columns.join(", ")}) SELECT ${values.join(", ")} FROM numbers, ${table("message")} m`);
}

describeEachReceiver((_name, start) => {
  test("a page of contacts that name their hidden ids is written within the time of a call", async () => {
    const crm = await start();
    const { url, secret, auth } = crm;
    const adapter = openHttpAdapter({ url, secret, auth }, { clock: systemClock, log: createLog("silent") });
    await adapter.upsertMessages(
      batch([
        aMessage({ messageId: "A", chatId: EVA, from: EVA }),
        aMessage({ messageId: "B", chatId: GROUP, participant: EVA, from: EVA }),
      ]),
    );
    multiply(crm);
    const strangers = Array.from({ length: 200 }, (_, n) =>
      aContact({ id: `3460000${1000 + n}@c.us`, lid: `9000${n}@lid` }),
    );
    const results = await adapter.upsertContacts(batch(strangers, 2));
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(["created"]));
    await adapter.close();
  }, 60_000);
});
