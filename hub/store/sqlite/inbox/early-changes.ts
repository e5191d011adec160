/** Edits, revokes, reactions and statuses that came before their message: kept, and applied in order when it comes. */
import type { Jid } from "../../../core/jid.ts";
import type { Engine } from "../engine.ts";
import { fromJson, toJson } from "../json.ts";
import type { FactOf } from "./work.ts";

/** A status names one message here. */
export type EarlyFact = FactOf<"edit" | "revoke" | "reaction" | "status">;

export interface EarlyChanges {
  keep(target: { session: number; chatId: Jid; id: string }, fact: EarlyFact, now: Date): void;
  /** Hands over each change of a message that just came; those that `apply` refuses stay. */
  take(target: { session: number; chatId: Jid; id: string }, apply: (fact: EarlyFact) => boolean): void;
  move(session: number, from: Jid, into: Jid): void;
}

export function createEarlyChanges({ db }: Engine): EarlyChanges {
  const insert = db.prepare("INSERT INTO early_change(session, chat, id, fact, at) VALUES(?, ?, ?, ?, ?)");
  const isKept = db.prepare<[number, Jid, string, string], { n: number }>(
    "SELECT n FROM early_change WHERE session = ? AND chat = ? AND id = ? AND fact = ?",
  );
  const of = db.prepare<[number, Jid, string], { n: number; fact: string }>(
    "SELECT n, fact FROM early_change WHERE session = ? AND chat = ? AND id = ? ORDER BY n",
  );
  const remove = db.prepare("DELETE FROM early_change WHERE n = ?");
  const move = db.prepare("UPDATE early_change SET chat = ? WHERE session = ? AND chat = ?");

  return {
    keep: ({ session, chatId, id }, fact, now) => {
      const json = toJson(fact);
      if (isKept.get(session, chatId, id, json) !== undefined) return;
      insert.run(session, chatId, id, json, now.getTime());
    },
    take: ({ session, chatId, id }, apply) => {
      for (const { n, fact } of of.all(session, chatId, id))
        if (apply(fromJson<EarlyFact>(fact))) remove.run(n);
    },
    move: (session, from, into) => {
      move.run(into, session, from);
    },
  };
}
