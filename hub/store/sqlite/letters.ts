/** Letters that wait for the morning, or for a mail server. */
import type { HeldLetter, LetterStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";

/** A mail server that is away for weeks must not fill the disk; the events are all in the log. */
const KEPT = 200;

export function createLetterStore(engine: Pick<Engine, "db" | "transaction">): LetterStore {
  const { db } = engine;
  const insert = db.prepare("INSERT INTO letter(at, subject, body) VALUES(?, ?, ?)");
  const cut = db.prepare("DELETE FROM letter WHERE n <= (SELECT MAX(n) FROM letter) - ?");
  const waiting = db.prepare<[], HeldLetter>("SELECT n, subject, body AS text FROM letter ORDER BY n");
  const remove = db.prepare("DELETE FROM letter WHERE n <= ?");
  return {
    hold: call(({ subject, text }, at) => {
      engine.transaction(() => {
        insert.run(at.getTime(), subject, text);
        cut.run(KEPT);
      });
    }),
    held: call(() => waiting.all()),
    sent: call((upTo) => {
      remove.run(upTo);
    }),
  };
}
