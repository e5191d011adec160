/** Numbers of the column `delivery.state`. What is below `FINISHED_FROM` is owed; indexes and triggers rest on it. */
import type { DeliveryState } from "../../../core/delivery.ts";

const NUMBER: Record<DeliveryState, number> = {
  pending: 0,
  retrying: 1,
  delivered: 2,
  skipped: 3,
  dead: 4,
  dismissed: 5,
};
const STATES: DeliveryState[] = ["pending", "retrying", "delivered", "skipped", "dead", "dismissed"];
const FINISHED_FROM = NUMBER.delivered;

export const deliveryNumber = (state: DeliveryState): number => NUMBER[state];
export const isOwed = (state: DeliveryState): boolean => NUMBER[state] < FINISHED_FROM;

export function deliveryState(number: number): DeliveryState {
  const state = STATES[number];
  if (state === undefined) throw new Error(`no delivery state ${number}`);
  return state;
}
