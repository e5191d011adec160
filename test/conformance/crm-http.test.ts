/** The http adapter against its example receivers: real Django, real PHP, real Laravel. */
import { expect, onTestFinished, test } from "vitest";
import type { WriteResult } from "../../bridge/adapter.ts";
import { openHttpAdapter } from "../../bridge/adapters/http/http-adapter.ts";
import { systemClock } from "../../bridge/clock.ts";
import { signBody } from "../../hub/contract/index.ts";
import { createLog } from "../../bridge/log.ts";
import type { MessageChange } from "../../bridge/records.ts";
import { refuse } from "../support/column-lengths.ts";
import { describeEachReceiver } from "../support/each-receiver.ts";
import {
  aChat,
  aClient,
  aContact,
  aMessage,
  ANA,
  aSessionRecord,
  EVA,
  GROUP,
  HIDDEN,
  NOW,
  withLast,
} from "./crm/records.ts";
import { describeCrmAdapter } from "./crm-adapter.ts";

const log = createLog("silent");
/** An empty batch: all that can be wrong with it is who sent it. */
const BODY = JSON.stringify({ sessionId: "s1", position: null, items: [] });

describeEachReceiver((name, start) => {
  // Starting a process takes longer than a test: one serves them all, emptied in between.
  describeCrmAdapter(
    `http, received by ${name}`,
    async () => {
      const crm = await start();
      crm.empty();
      const { url, secret, auth, documents, personEdits } = crm;
      const adapter = openHttpAdapter({ url, secret, auth }, { clock: systemClock, log });
      return { adapter, documents, personEdits };
    },
    { documents: false, momentOfEachStatus: false, ordersMerges: false },
  );

  test.each<[string, (headers: Record<string, string>) => Record<string, string>, string]>([
    ["without a signature", ({ authorization = "" }) => ({ authorization }), BODY],
    ["with the signature of another body", (headers) => headers, BODY.replace("s1", "s2")],
    ["with the signature of the same body in other bytes", (headers) => headers, `${BODY} `],
    [
      "without the agreed Authorization",
      (headers) => ({ ...headers, authorization: "Token of somebody" }),
      BODY,
    ],
  ])("%s nothing is accepted", async (_how, change, body) => {
    const crm = await start();
    const right = { authorization: crm.auth, "x-webhook-signature": signBody(crm.secret, BODY) };
    const post = async (headers: Record<string, string>, text: string): Promise<number> =>
      (await fetch(`${crm.url}/contacts/batch`, { method: "POST", headers, body: text })).status;
    expect(await post(change(right), body)).toBe(401);
    expect(await post(right, BODY)).toBe(200);
  });

  const opened = async () => {
    const crm = await start();
    crm.empty();
    const { url, secret, auth } = crm;
    const adapter = openHttpAdapter({ url, secret, auth }, { clock: systemClock, log });
    onTestFinished(() => adapter.close());
    return { crm, adapter };
  };
  const batch = <T>(items: T[], position = 1) => ({ sessionId: "s1", position, items });
  const outcomes = (results: WriteResult[]): string[] => results.map(({ outcome }) => outcome);

  test("what is too long for its column is cut, or left out where half of it is worth nothing", async () => {
    const { adapter } = await opened();
    const long = "x".repeat(300);
    const url = `https://pictures.example/${long}`;
    const written = async () => [
      await adapter.upsertSession(aSessionRecord({ sessionName: long, phoneNumber: "9".repeat(60) }), 1),
      ...(await adapter.upsertContacts(
        batch([
          aContact({ phone: "9".repeat(60), profilePicUrl: url, imgUrl: url, shortName: long, name: long }),
        ]),
      )),
      ...(await adapter.upsertChats(
        batch([aChat({ ...withLast(aMessage({ messageId: long, timestamp: NOW + 1 })), contactName: long })]),
      )),
      ...(await adapter.upsertMessages(
        batch([aMessage({ messageId: "A", quotedMessageId: long, from: long, to: long, pushName: long })]),
      )),
    ];
    expect(outcomes(await written())).toEqual(["created", "created", "created", "created"]);
    expect(outcomes(await written())).toEqual(["unchanged", "unchanged", "unchanged", "unchanged"]);
    const client = aClient({ email: long, phone: "9".repeat(60), code: long });
    expect(await adapter.clients?.create(client)).toMatchObject({ outcome: "created" });
  });

  test("a record that the database refuses is refused alone, whatever it is refused for", async () => {
    const { crm, adapter } = await opened();
    const table = crm.table("contact");
    const says = "Incorrect string value";
    // As a column does that holds three bytes of a character.
    refuse(crm.db, { name: "three_bytes", table, when: "NEW.about GLOB '*[\u{10000}-\u{10ffff}]*'", says });
    onTestFinished(
      () => void crm.db.exec("DROP TRIGGER three_bytes_INSERT; DROP TRIGGER three_bytes_UPDATE"),
    );
    const results = await adapter.upsertContacts(
      batch([aContact(), aContact({ id: EVA, about: "👍" }), aContact({ id: GROUP, isGroup: true })]),
    );
    expect(outcomes(results)).toEqual(["created", "rejected", "created"]);
    expect(results[1]?.error).toContain(says);
    expect(await adapter.totals("s1")).toMatchObject({ contacts: 2 });
    const longKeys = [aMessage({ messageId: "x".repeat(300) }), aMessage({ messageId: "B" })];
    expect(outcomes(await adapter.upsertMessages(batch(longKeys)))).toEqual(["rejected", "created"]);
  });

  test("two copies of a message that become one keep when it was deleted, and why it failed", async () => {
    const { crm, adapter } = await opened();
    const own = { fromMe: true, timestamp: NOW } as const;
    const hidden = { chatId: HIDDEN, to: HIDDEN } as const;
    for (const messageId of ["A", "B"]) {
      await adapter.upsertMessages(batch([aMessage({ ...own, messageId })]));
      await adapter.upsertMessages(batch([aMessage({ ...own, ...hidden, messageId })]));
    }
    const told = { chatId: HIDDEN, at: NOW + 5 } as const;
    await adapter.changeMessages(
      batch<MessageChange>(
        [
          { ...told, messageId: "A", kind: "deletion" },
          { ...told, messageId: "B", kind: "status", status: "failed", error: "no such number" },
        ],
        2,
      ),
    );
    await adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 3 });
    const rows = crm.db
      .prepare(
        `SELECT message_id, status, status_at, deleted_at, error FROM ${crm.table("message")} ORDER BY 1`,
      )
      .all();
    const at = NOW + 5;
    expect(rows).toEqual([
      { message_id: "A", status: "deleted", status_at: at, deleted_at: at, error: null },
      { message_id: "B", status: "failed", status_at: at, deleted_at: null, error: "no such number" },
    ]);
  });
});
