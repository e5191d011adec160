/** What applying an event needs, and how what a CRM answers becomes what became of the event. */
import type { EventData, EventName, HubEvent } from "../../hub/contract/index.ts";
import type { CrmAdapter, Outcome, Position, WriteResult } from "../adapter.ts";
import { failedItemId, type FailedItems, type FailedRecord } from "../failed-items.ts";
import type { HubClient } from "../hub-client.ts";
import type { Lanes } from "../lanes.ts";
import type { Log } from "../log.ts";
import type { Connection } from "../state/bridge-state.ts";
import type { Action, Applied } from "../applied.ts";

export interface ApplyParts {
  adapter: CrmAdapter;
  hub: HubClient;
  lanes: Lanes;
  connections: {
    /** @returns whether the session is connected by this event: it was not, or the event is told again */
    applied(event: HubEvent): { becameConnected: boolean; kept: Promise<void> };
    get(sessionId: string): Connection | null;
  };
  requestSync: (sessionId: string, reason: string) => Promise<void>;
  syncOnConnect: boolean;
  failed: FailedItems;
  log: Log;
}

/** An event with its parsed data. */
export interface Told<Name extends EventName> {
  event: HubEvent;
  data: EventData<Name>;
  sessionId: string;
  position: Position;
}

export type Handlers<Name extends EventName> = { [N in Name]: (told: Told<N>) => Promise<Applied> };

/** An event without a number says nothing about what is newer. */
export const positionOf = ({ seq }: HubEvent): Position => (seq > 0 ? seq : null);

const ACTIONS: Record<Exclude<Outcome, "rejected">, Action> = {
  created: "created",
  updated: "updated",
  unchanged: "duplicate",
  missing: "ignored",
};

/** A refused record is kept among the failed; one that was taken is failed no more. */
export async function settle(
  failed: FailedItems,
  record: FailedRecord,
  { outcome, error }: WriteResult,
): Promise<Applied> {
  if (outcome === "rejected") {
    const rejected = error ?? "The CRM refuses this record.";
    await failed.add({ ...record, error: rejected });
    return { action: "ignored", rejected };
  }
  await failed.resolve(failedItemId(record));
  return { action: ACTIONS[outcome] };
}

/** The answer about a batch of one. */
export function only(results: WriteResult[]): WriteResult {
  const [result] = results;
  if (result === undefined) throw new Error("the CRM adapter answered nothing about a record");
  return result;
}
