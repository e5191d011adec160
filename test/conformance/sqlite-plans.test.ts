/** Every statement finds its rows through an index: what is fast on a day's data stays fast on a year's. */
import Database from "better-sqlite3";
import { expect, test, vi } from "vitest";
import { WORD_TABLES } from "../../hub/store/sqlite/inbox/word-beginnings.ts";
import { migrations } from "../../hub/store/sqlite/migrations/index.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import type { Store } from "../../hub/core/store.ts";
import {
  aMessage,
  aMessageFact,
  aNewEvent,
  aNewSession,
  anEndpoint,
  anIntakeEntry,
  T0,
} from "../support/builders.ts";
import { fixedClock } from "../support/fixed-clock.ts";

/** Tables that hold a few rows, whatever the age of the hub. */
const SMALL =
  /^SCAN (session|login|data_key|auth_creds|quarantine|mark|letter|look_up|audit_begun|replay_job( USING INDEX replay_job_filter)?|s USING COVERING INDEX sqlite_autoindex_session_1|endpoint|e USING .*_endpoint_1|api_key|user|sign_in USING INDEX sign_in_end|delivery_tally|sqlite_sequence|CONSTANT ROW|json_each .*|(w|temp\.spelled|temp\.known_words) VIRTUAL TABLE INDEX .*)$/;
/** Statements that may read or sort all they get, and why. */
const ALLOWED: [RegExp, string][] = [
  [/INDEXED BY message_key/, "messages of one id: sorts one or two"],
  [/FROM lane l WHERE l\.pending > 0/, "lanes in which something waits, through their own index"],
  [/ORDER BY d\.n ASC LIMIT/, "walks by number and stops at the end of the page"],
  [/ORDER BY e\.seq( ASC)?, d\.n( ASC)? LIMIT/, "sorts the few deliveries of each event"],
  [/FROM attempt ORDER BY id DESC LIMIT/, "walks back by number and stops"],
  [/GROUP BY from_me, status/, "figures of a range of time"],
  [/FROM delivered_minute/, "sixty rows an endpoint"],
  [/UPDATE delivery INDEXED BY delivery_dead/, "parked deliveries of an endpoint that is removed"],
  [/FROM untold_chat u CROSS JOIN/, "chats in which something arrived within the last second"],
  [/FROM audit ORDER BY n DESC LIMIT/, "walks back by number and stops"],
  [/FROM api_key ORDER BY/, "keys are few"],
  [/FROM user ORDER BY/, "users are few"],
  [/FROM login l JOIN session s/, "logins are as few as sessions"],
  [/FROM quarantine WHERE session = \?/, "sorts the few logins of one session that were put away"],
  [/COUNT\(\*\) AS n FROM intake WHERE state = 0/, "open stanzas, through their own index"],
  [/COUNT\(\*\) AS total FROM \(SELECT 1 FROM message/, "counts matches, at most ten thousand"],
  [
    /INDEXED BY message_chat .*ORDER BY m\.updated_at/,
    "what changed in one chat: sorts no more than the chat has",
  ],
  [/DELETE FROM words_owed/, "walks by number and stops"],
  [/FROM words_done|UPDATE words_done SET n = \?/, "one row, and so many messages after it"],
  [/instr\(body, \?\)/, "some thousand events after a message, for a person who asks about it"],
  [/FROM outgoing o .* GROUP BY m\.chat/s, "what waits to be sent, by chat: a thousand at most"],
  [/UPDATE outgoing SET relayed_at = \?, tries_left = 0$/, "what was on its way when a copy was made, once"],
  [/media WHERE message IS NULL AND session = \?/, "uploads and pictures, when a session is erased"],
  [
    /DELETE FROM early_change WHERE n IN/,
    "changes whose message never came: few, a batch at a time once an hour",
  ],
];

/** One call of everything that is asked often. */
async function exercise(store: Store): Promise<void> {
  const page = { limit: 2, page: 1 };
  const chatId = "34600111222@s.whatsapp.net";
  const endpoint = anEndpoint();
  await store.sessions.create(aNewSession());
  await store.endpoints.save(endpoint);
  const entry = anIntakeEntry();
  await store.auth.commit("s1", { keys: [], intake: [entry] });
  const facts = [1, 2, 3, 4].map((n) =>
    aMessageFact({ chatId: `3460011122${n}@s.whatsapp.net`, timestamp: n }),
  );
  await store.inbox.record({ sessionId: "s1", facts, closes: [entry.digest], now: T0 });
  await store.events.append("s1", [aNewEvent()], T0);
  await store.sends.accept({
    message: aMessage({ id: "S", fromMe: true, client: "crm" }),
    order: "{}",
    expiresAt: T0,
    now: T0,
  });
  const lists = [
    (cursor?: string) => store.inbox.messages({ sessionId: "s1", order: "desc", ...page, cursor }),
    (cursor?: string) => store.inbox.messages({ sessionId: "s1", order: "asc", ...page, cursor }),
    (cursor?: string) =>
      store.inbox.messages({ sessionId: "s1", chatId, order: "desc", limit: 1, page: 1, cursor }),
    (cursor?: string) =>
      store.inbox.messages({ sessionId: "s1", order: "desc", since: 1, until: 9, ...page, cursor }),
    (cursor?: string) => store.inbox.messages({ sessionId: "s1", id: "S", order: "desc", ...page, cursor }),
    (cursor?: string) =>
      store.inbox.messages({ sessionId: "s1", search: "hola", order: "desc", limit: 1, page: 1, cursor }),
    (cursor?: string) =>
      store.inbox.messages({ sessionId: "s1", chatId, search: "ho la", order: "asc", ...page, cursor }),
    (cursor?: string) =>
      store.inbox.messages({
        ...{ sessionId: "s1", updatedAfter: 1, orderBy: "updated", order: "asc", limit: 2, page: 1, cursor },
      }),
    (cursor?: string) =>
      store.inbox.messages({
        ...{ sessionId: "s1", updatedAfter: 1, orderBy: "updated", order: "desc", limit: 2, page: 1, cursor },
      }),
    (cursor?: string) =>
      store.inbox.messages({
        ...{ sessionId: "s1", chatId, orderBy: "updated", order: "asc", limit: 1, page: 1, cursor },
      }),
    (cursor?: string) =>
      store.inbox.messages({ sessionId: "s1", updatedAfter: 0, order: "desc", ...page, cursor }),
    (cursor?: string) => store.inbox.chats({ sessionId: "s1", ...page, cursor }),
    (cursor?: string) => store.inbox.contacts({ sessionId: "s1", ...page, cursor }),
    (cursor?: string) => store.outbox.list({ endpoints: "*", ...page, cursor }),
    (cursor?: string) => store.outbox.list({ endpoints: "*", sessionId: "s1", ...page, cursor }),
    (cursor?: string) => store.outbox.list({ endpoints: "*", state: "pending", ...page, cursor }),
    (cursor?: string) => store.sessions.timeline("s1", { ...page, cursor }),
    (cursor?: string) => store.audit.list({ ...page, cursor }),
  ];
  for (const list of lists) {
    const { nextCursor } = await list();
    if (nextCursor !== null) await list(nextCursor);
  }
  await store.events.after({ after: 0, limit: 5, sessions: "*" });
  await store.events.after({ after: 0, limit: 5, sessions: ["s1"], types: ["message.received"] });
  const due = await store.outbox.leaseDue({ endpointId: endpoint.id, now: T0, limit: 5 });
  for (const state of ["sending", "pending", "retrying"] as const)
    await store.outbox.list({ endpoints: [endpoint.id], state, ...page });
  store.outbox.release(due.map(({ laneId }) => laneId));
  await store.media.renewTokens(["t"], T0);
  await store.outbox.nextDueAt(endpoint.id);
  await store.endpoints.saveAfresh(endpoint);
  await store.outbox.list({ endpoints: "*", afterSeq: 1, ...page });
  for (const filter of [{ state: "dead" as const }, { sessionId: "s1" }, { endpointId: endpoint.id }]) {
    await store.outbox.openReplay({ id: JSON.stringify(filter), filter, matched: 0, startedAt: T0 });
    await store.outbox.continueReplay(JSON.stringify(filter), T0, 5);
  }
  await store.outbox.openReplays();
  await store.outbox.replayJob("job_1");
  await store.outbox.replays({ endpoints: [endpoint.id], ...page });
  await store.outbox.stats(null, T0);
  await store.inbox.stats("s1", { dayStart: 0 });
  await store.inbox.coverage("s1");
  await store.sends.waiting("s1");
  await store.sends.countWaiting("s1");
  await store.sends.countWaitingBy("s1");
  await store.sends.postpone("s1", "S", T0);
  await store.sends.acquaintance("s1", chatId);
  await store.sends.opened("s1", T0);
  await store.sends.lately("s1", T0);
  await store.sends.relayed("s1", "S", { raw: null, media: null }, T0);
  await store.sends.unconfirmed("s1", T0);
  await store.inbox.beginnings({ sessionId: "s1", laterThan: 0, limit: 5 });
  await store.inbox.beginnings({ sessionId: "s1", chatId, limit: 5 });
  await store.trace.of({ sessionId: "s1", chatId, id: "S" });
  await store.events.forget({ before: T0, after: 0, limit: 10 });
  await store.outbox.forgetAttempts(T0, 10);
  await store.inbox.removeOld({
    ...{ sessionId: "s1", before: T0, settledBefore: T0, after: null, limit: 10 },
  });
  await store.media.forgetUploads({ before: T0, now: T0, limit: 10 });
  await store.media.forgetTokens("m", { but: "", now: T0 });
  await store.media.cleared(await store.media.left("", 10));
  for (const chat of [chatId, null]) {
    const scope = { sessionId: "s1", chatId: chat };
    const step = { scope, after: 0, limit: 5 };
    await store.erasure.countOnTheirWay(scope);
    await store.erasure.countOwed(step);
    await store.erasure.eraseEvents(step);
    await store.erasure.eraseStanzas(step);
    await store.erasure.eraseMessages(scope, 5);
    await store.erasure.eraseRest(scope, 5);
  }
  await store.lookUps.want("s1", 1);
  await store.lookUps.wanted();
  await store.lookUps.failed("s1", chatId, T0);
  await store.lookUps.asking("s1", T0);
  await store.lookUps.asked("s1", T0);
  await store.lookUps.page({ sessionId: "s1", place: null, limit: 2 });
  await store.lookUps.page({ sessionId: "s1", place: { name: "", contact: 0 }, limit: 2 });
  await store.lookUps.done("s1");
  await store.audit.verify();
  await store.audit.forget(T0, 10);
  await store.intake.prune({ blobsBefore: T0, rowsBefore: T0, limit: 10 });
}

test("no statement walks a table that grows, and no page is sorted after it was read", async () => {
  const prepared = vi.spyOn(Database.prototype, "prepare");
  const store = await openSqliteStore({
    file: ":memory:",
    publicUrl: "https://hub.example",
    clock: fixedClock(),
  });
  await exercise(store);
  await store.close();
  const statements = new Set(prepared.mock.calls.map(([sql]) => sql));
  prepared.mockRestore();
  expect(statements.size).toBeGreaterThan(80);

  const schema = new Database(":memory:");
  for (const step of migrations) schema.exec(step);
  schema.exec(WORD_TABLES);
  const slow: string[] = [];
  const ways: string[] = [];
  for (const sql of statements) {
    if (!/^\s*(SELECT|UPDATE|DELETE)/.test(sql)) continue;
    const anonymous = sql.replace(/(?<!')@\w+/g, "?");
    const plan = schema
      .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${anonymous}`)
      .all(...Array.from(anonymous.matchAll(/\?/g), () => 1));
    if (sql.includes("ORDER BY m.updated_at")) ways.push(...plan.map(({ detail }) => detail));
    if (ALLOWED.some(([pattern]) => pattern.test(sql))) continue;
    for (const { detail } of plan)
      if (/^SCAN|TEMP B-TREE/.test(detail) && !SMALL.test(detail)) slow.push(`${detail}: ${sql}`);
  }
  schema.close();
  expect(slow).toEqual([]);
  // What changed is walked from where the page before ended, and not from where it began.
  const walk = "SEARCH m USING INDEX message_updated (session=? AND updated_at>?";
  expect(ways).toEqual(expect.arrayContaining([`${walk})`, `${walk} AND updated_at<?)`]));
  // A quiet chat does not wait for what changed in loud ones.
  expect(ways).toContain("SEARCH m USING INDEX message_chat (chat=?)");
});

/** The fastest of some calls: what else the machine does is no matter of the statement. */
async function fastest(work: () => Promise<unknown>): Promise<number> {
  let best = Infinity;
  for (let n = 0; n < 7; n++) {
    const since = performance.now();
    await work();
    best = Math.min(best, performance.now() - since);
  }
  return best;
}

test("what sending asks about a chat takes no longer in a loud one, or when much waits for it", async () => {
  const store = await openSqliteStore({
    file: ":memory:",
    publicUrl: "https://hub.example",
    clock: fixedClock(),
  });
  await store.sessions.create(aNewSession());
  const [loud, silent] = ["34600111221@s.whatsapp.net", "34600111222@s.whatsapp.net"];
  for (const { chatId, fromMe } of [
    { chatId: loud, fromMe: false },
    { chatId: silent, fromMe: true },
  ])
    for (let batch = 0; batch < 10; batch++) {
      const facts = Array.from({ length: 500 }, () =>
        aMessageFact({ chatId, fromMe, status: fromMe ? "sent" : "delivered" }, { live: false }),
      );
      await store.inbox.record({ sessionId: "s1", facts, closes: [], now: T0 });
    }
  for (let n = 0; n < 300; n++)
    await store.sends.accept({
      message: aMessage({
        id: `W${n}`,
        chatId: n % 2 === 0 ? loud : silent,
        fromMe: true,
        status: "pending",
      }),
      order: "{}",
      expiresAt: T0,
      now: T0,
    });
  expect(await store.sends.acquaintance("s1", loud)).toBe("heard");
  expect(await store.sends.acquaintance("s1", silent)).toBe("written");
  expect(await store.sends.countWaitingBy("s1")).toEqual({ strangers: 150, others: 150 });
  // Reading the chat itself would take 0.7 ms, and for each message that waits 80 ms.
  expect(await fastest(() => store.sends.acquaintance("s1", loud))).toBeLessThan(0.3);
  expect(await fastest(() => store.sends.countWaitingBy("s1"))).toBeLessThan(20);
  await store.close();
});

test("totals of a narrowed list stop counting, but not where one chat is counted since a moment", async () => {
  const clock = fixedClock();
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "https://hub.example", clock });
  await store.sessions.create(aNewSession());
  const chatId = "34600111222@s.whatsapp.net";
  const record = (count: number) =>
    store.inbox.record({
      sessionId: "s1",
      facts: Array.from({ length: count }, () => aMessageFact({ chatId }, { live: false })),
      closes: [],
      now: clock.now(),
    });
  for (let batch = 0; batch < 21; batch++) await record(500);
  const messages = (query: object) =>
    store.inbox.messages({ sessionId: "s1", order: "desc", limit: 5, page: 1, ...query });
  const totals = [{ type: "text" }, { fromMe: false }, { since: 1 }, { updatedAfter: 0 }].map(
    async (query) => (await messages(query)).total,
  );
  expect(await Promise.all(totals)).toEqual([10_000, 10_000, 10_000, 10_000]);
  // Whoever compares a chat asks how many there are since a moment.
  expect((await messages({ chatId, since: 1 })).total).toBe(10_500);
  await store.close();
});

test("the last page of what changed takes no longer than the first", async () => {
  const clock = fixedClock();
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "https://hub.example", clock });
  await store.sessions.create(aNewSession());
  for (let batch = 0; batch < 100; batch++) {
    clock.advance(1000);
    const facts = Array.from({ length: 200 }, () => aMessageFact({}, { live: false }));
    await store.inbox.record({ sessionId: "s1", facts, closes: [], now: clock.now() });
  }
  const page = (cursor?: string) =>
    store.inbox.messages({
      ...{ sessionId: "s1", updatedAfter: 1, orderBy: "updated", order: "asc", limit: 100, page: 1, cursor },
    });
  const cursors: (string | undefined)[] = [undefined];
  for (let next = (await page()).nextCursor; next !== null; next = (await page(next)).nextCursor)
    cursors.push(next);
  expect([cursors.length, (await page()).total]).toEqual([200, 10_000]);
  const first = await fastest(() => page());
  // Sorting and counting all that changed takes fifteen times as long.
  expect(await fastest(() => page(cursors.at(-1)))).toBeLessThan(first * 3);
  await store.close();
});
