/** History is stored in small transactions, and what belongs to one message in one of them. */
import { expect, onTestFinished, test } from "vitest";
import type { Fact } from "../../hub/core/facts.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { piecesOf } from "../../hub/whatsapp/history-pieces.ts";
import { aMessageFact, aNewSession, T0, T0_SECONDS } from "../support/builders.ts";
import { fixedClock } from "../support/fixed-clock.ts";

const chatId = "34600111222@s.whatsapp.net";
const message = (id: string): Fact => aMessageFact({ id, chatId }, { live: false });
const reaction = (id: string, emoji = "👍", atMs = T0_SECONDS * 1000): Fact => ({
  ...{ kind: "reaction", from: chatId, fromMe: false, emoji, atMs, live: false },
  target: { chatId, id, fromMe: false, participant: null },
});
const names = (pieces: Fact[][]): string[][] =>
  pieces.map((piece) =>
    piece.map((fact) =>
      fact.kind === "message" ? fact.message.id : fact.kind === "reaction" ? `+${fact.target.id}` : fact.kind,
    ),
  );

test("a message and its reactions are one piece, wherever the chunk has them; all else keeps its order", () => {
  const facts: Fact[] = [
    { kind: "lid", lid: "1@lid", phone: chatId },
    ...[message("A"), reaction("A"), message("B"), message("C"), reaction("B"), reaction("A"), reaction("X")],
    message("D"),
  ];
  expect(names(piecesOf(facts, 2))).toEqual([["lid", "A", "+A", "+A"], ["B", "+B"], ["C", "+X"], ["D"]]);
  expect(names(piecesOf(facts, 99))).toEqual([["lid", "A", "+A", "+A", "B", "+B", "C", "+X", "D"]]);
  expect(piecesOf([], 2)).toEqual([]);
});

test("reactions of history are not told as news, however many messages lie between", async () => {
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "http://hub", clock: fixedClock() });
  onTestFinished(() => store.close());
  await store.sessions.create(aNewSession());
  const ids = Array.from({ length: 30 }, (_, n) => `M${n}`);
  const facts = [
    ...ids.flatMap((id) => [message(id), reaction(id)]),
    ...ids.map((id) => reaction(id, "❤️", T0_SECONDS * 1000 + 1)),
  ];
  for (const piece of piecesOf(facts, 7))
    await store.inbox.record({ sessionId: "s1", facts: piece, closes: [], now: T0 });
  const told = await store.events.after({ after: 0, limit: 100, sessions: "*" });
  expect(told.map(({ body }) => body)).toEqual([]);
  const { items } = await store.inbox.messages({ sessionId: "s1", order: "asc", limit: 100, page: 1 });
  expect(items.map(({ reactions }) => reactions.map(({ emoji }) => emoji))).toEqual(ids.map(() => ["❤️"]));
});
