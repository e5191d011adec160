/** All methods, built from the parts they order. */
import { directoryMethods } from "./methods/directory.ts";
import { failedMethods, type FailedParts } from "./methods/failed.ts";
import { messageMethods, type MessageParts } from "./methods/messages.ts";
import { queuedMethods, type QueuedParts } from "./methods/queued.ts";
import { scheduledMethods, type ScheduledParts } from "./methods/scheduled.ts";
import { sessionMethods, type ConnectionOrders } from "./methods/session.ts";
import { syncMethods, type SyncParts } from "./methods/sync.ts";

export type MethodParts = SyncParts &
  FailedParts &
  ScheduledParts &
  MessageParts &
  QueuedParts & {
    connections: ConnectionOrders;
    directory: Parameters<typeof directoryMethods>[0];
  };

/** In groups, as the whitelist of `hooks.ts` takes them. */
export const createMethods = (parts: MethodParts) => ({
  session: sessionMethods(parts),
  messages: messageMethods(parts),
  queued: queuedMethods(parts),
  sync: syncMethods(parts),
  scheduled: scheduledMethods(parts),
  failed: failedMethods(parts),
  directory: directoryMethods(parts.directory),
});

export type Methods = ReturnType<typeof createMethods>;
