/** Which of two edits of one message is the later one: seconds first, and within one second the order in which the hub told them. Pure. */
import type { Position } from "../adapter.ts";

export interface EditAt<Moment extends number | string> {
  /** Unix seconds, or a moment that sorts as text; 0 or empty: never edited. */
  at: Moment;
  /** Null where it is not known: then the one told later is right. */
  position: Position;
}

export const isOlderEdit = <Moment extends number | string>(
  told: EditAt<Moment>,
  held: EditAt<Moment>,
): boolean =>
  told.at === held.at
    ? held.position !== null && told.position !== null && told.position < held.position
    : told.at < held.at;
