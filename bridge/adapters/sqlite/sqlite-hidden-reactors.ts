/** Keeps, beside the messages, who reacted to each under a hidden id. */
import type { Value } from "../embedded/doctypes.ts";
import { hiddenReactorsOf } from "../embedded/reactions.ts";
import type { Db } from "./connection.ts";

export interface HiddenReactors {
  /** Of a message that has just got these reactions. */
  note(message: string, reactions: Value | undefined): void;
  forget(message: string): void;
}

export function createHiddenReactors(db: Db): HiddenReactors {
  const add = db.prepare(
    "INSERT OR IGNORE INTO hidden_reactor SELECT session, ?, name FROM whatsapp_message WHERE name = ?",
  );
  const forget = db.prepare("DELETE FROM hidden_reactor WHERE message = ?");
  return {
    note: (message, reactions) => {
      if (typeof reactions !== "string") return;
      for (const lid of hiddenReactorsOf(reactions)) add.run(lid, message);
    },
    forget: (message) => {
      forget.run(message);
    },
  };
}
