/** Which alerts are open, since when, and when people were last told, as marks that outlive the process. */
import type { MarkStore } from "../core/store.ts";
import type { Alert } from "./alert.ts";
import { CAUSES, type AlertCause } from "./causes.ts";

/** What an alert is about, without its words: one alert at a time for each. */
export type Place = Pick<Alert, "sessionId" | "cause" | "endpointId">;

export interface OpenAlertMarks {
  /** All that an earlier process left open. */
  load(): Promise<{ place: Place; since: Date; toldAt: Date }[]>;
  told(place: Place, times: { since: Date; toldAt: Date }): Promise<void>;
  ended(place: Place): Promise<void>;
}

const SINCE = "alert_since:";
const TOLD = "alert_told:";
/** What is marked so is over; the store throws it away with all that is old. */
const OVER = new Date(0);

/** Ids and causes hold no colon. */
export const nameOf = ({ sessionId, endpointId, cause }: Place): string =>
  `${sessionId}:${endpointId ?? ""}:${cause}`;

function placeOf(name: string): Place | null {
  const [sessionId = "", endpointId = "", cause = ""] = name.split(":");
  if (!isCause(cause)) return null; // of a version that knew more
  return { sessionId, cause, ...(endpointId === "" ? {} : { endpointId }) };
}

const isCause = (word: string): word is AlertCause => Object.hasOwn(CAUSES, word);

export function createOpenAlertMarks(marks: Pick<MarkStore, "get" | "set" | "named">): OpenAlertMarks {
  return {
    load: async () => {
      const open: { place: Place; since: Date; toldAt: Date }[] = [];
      for (const { name, at } of await marks.named(TOLD)) {
        const place = placeOf(name.slice(TOLD.length));
        if (place === null || at <= OVER) continue;
        const since = await marks.get(`${SINCE}${nameOf(place)}`);
        open.push({ place, since: since ?? at, toldAt: at });
      }
      return open;
    },
    told: async (place, { since, toldAt }) => {
      await marks.set(`${SINCE}${nameOf(place)}`, since);
      await marks.set(`${TOLD}${nameOf(place)}`, toldAt);
    },
    ended: (place) => marks.set(`${TOLD}${nameOf(place)}`, OVER),
  };
}
