/**
 * What runs when, declared the way a Frappe app's hooks.py declares its scheduler_events. Each event does what the
 * method of its name does on order; the methods themselves are declared in methods/, each with the role it needs.
 */

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
