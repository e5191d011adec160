/**
 * What a Frappe app declares in its hooks.py and by `@frappe.whitelist()`: which methods callers may run by name, and what runs
 * by itself and when. Each event does what the method of its name does on order; a method says itself which role it needs.
 */
import type { Methods } from "./methods.ts";
import type { Method } from "./methods/method.ts";

/** What is not here cannot be called, whoever calls. */
export const whitelistedMethods = ({ directory, ...methods }: Methods): Method[] => [
  ...methods.session,
  ...methods.messages,
  ...methods.queued,
  ...methods.sync,
  ...methods.scheduled,
  ...methods.failed,
  directory.start,
  directory.status,
  directory.jobs,
  directory.retry,
];

/** Work that runs by itself between `start` and `stop`. */
export interface ScheduledWork {
  start(): void | Promise<void>;
  stop(): void | Promise<void>;
}

export interface SchedulerEvent {
  every: "hourly" | "5 minutes" | "daily";
  /** The setting that moves it, or switches it off; null: nothing does. */
  setting: string | null;
  /** What does the same on order. */
  method: string;
  work: ScheduledWork;
}

/** `directory`: null where none is configured. */
export const schedulerEvents = ({
  autoSync,
  reconcile,
  keepUp,
  directory,
}: {
  autoSync: ScheduledWork;
  reconcile: ScheduledWork;
  keepUp: ScheduledWork;
  directory: ScheduledWork | null;
}): SchedulerEvent[] => [
  { every: "hourly", setting: "BRIDGE_AUTO_SYNC", method: "api.sync.auto_sync_all_sessions", work: autoSync },
  { every: "5 minutes", setting: "BRIDGE_RECONCILE", method: "api.sync.reconcile", work: reconcile },
  { every: "5 minutes", setting: null, method: "api.sync.reconcile", work: keepUp },
  ...(directory === null
    ? []
    : [
        {
          every: "daily" as const,
          setting: "WISPRO_HOUR",
          method: "api.directory.sync_all",
          work: directory,
        },
      ]),
];
