/** Events that change nothing in a CRM. What they say is not looked into: a newer hub may say more than this bridge knows. */
import type { EventName } from "../../hub/contract/index.ts";

const IGNORED = [
  "call.received",
  "delivery.dead",
  "session.alert",
  "session.cleanup",
  "session.restricted",
  "bot.status",
  "endpoint.test",
  // A CRM keeps no members of groups.
  "group.participants",
] as const satisfies EventName[];

type IgnoredEvent = (typeof IGNORED)[number];
/** What may change something. */
export type AppliedEvent = Exclude<EventName, IgnoredEvent>;

export const isIgnored = (name: EventName): name is IgnoredEvent => IGNORED.some((one) => one === name);
