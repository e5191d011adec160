/**
 * A hub restored from a backup counts its events from an earlier number again, and another hub counts from one: records in
 * the CRM that show a higher position would then refuse everything newer. So the CRM is told positions above a base that
 * rises whenever the hub's own count began anew. It is made of the time, so that it rises even when the bridge forgot it.
 */
import type { Batch, CrmAdapter, Position } from "./adapter.ts";

/** More events than a hub writes in a second; with today's time still far below what a number holds exactly. */
const PER_SECOND = 2 ** 20;

export const nextPositionBase = (before: number, now: Date): number =>
  Math.max(Math.floor(now.getTime() / 1000) * PER_SECOND, before + PER_SECOND);

/** The adapter must be a plain object, as the gate's is. */
export function rebased(adapter: CrmAdapter, base: () => number): CrmAdapter {
  const above = (position: Position): Position => (position === null ? null : base() + position);
  const raised = <T>(batch: Batch<T>): Batch<T> => ({ ...batch, position: above(batch.position) });
  return {
    ...adapter,
    upsertSession: (session, position) => adapter.upsertSession(session, above(position)),
    upsertContacts: (batch) => adapter.upsertContacts(raised(batch)),
    upsertChats: (batch) => adapter.upsertChats(raised(batch)),
    upsertMessages: (batch) => adapter.upsertMessages(raised(batch)),
    changeMessages: (batch) => adapter.changeMessages(raised(batch)),
    mergeContact: (merge) => adapter.mergeContact({ ...merge, position: above(merge.position) }),
  };
}
