/**
 * Messages by the number of who sent them or whom they were sent to. A site that has no index on it reads all its messages for
 * such a question, and a big one does not come to the end of that within a call: whoever asks goes on without, and the question
 * is left alone for a while, so that what is to be written is not held up by it again and again.
 */
import { createElapsed } from "../../elapsed.ts";
import type { Row } from "./field-values.ts";
import { MESSAGE, type Site } from "./site.ts";
import { AnswerLost } from "./site-answer.ts";
import type { Filter } from "./site-tables.ts";

export interface ByNumber {
  /**
   * Null where the site is too slow for it.
   * @throws CrmUnavailable when it does not answer other questions either
   */
  find(fields: string[], filters: Filter[]): Promise<Row[] | null>;
}

/** The indexes may be made beside a bridge that runs. */
const PAUSE_MS = 10 * 60_000;
const ADVICE =
  "npm run bridge:prepare, then bench migrate on the site: without these indexes it reads all messages, and older ones stay without their contact, or under a hidden id";

export function createByNumber({ tables, clock, log }: Pick<Site, "tables" | "clock" | "log">): ByNumber {
  const elapsed = createElapsed(clock);
  let pausedUntil = 0;
  let isReported = false;

  const mustAnswerOthers = async (): Promise<void> => {
    await tables.list(MESSAGE, { fields: ["name"], filters: [], orderBy: "name asc", limit: 1 });
  };

  return {
    find: async (fields, filters) => {
      if (elapsed() < pausedUntil) return null;
      try {
        return await tables.all(MESSAGE, { fields, filters, orderBy: "name asc" });
      } catch (error) {
        // Only who took its whole time is slow: a site that is away, or asks for patience, is asked again.
        if (!(error instanceof AnswerLost && error.timedOut)) throw error;
        await mustAnswerOthers();
        pausedUntil = elapsed() + PAUSE_MS;
        const facts = { doctype: MESSAGE, fields: ["from_number", "to_number"], advice: ADVICE };
        if (!isReported) log.warn(facts, "frappe.question_too_slow");
        isReported = true;
        return null;
      }
    },
  };
}
