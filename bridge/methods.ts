/** All methods that may be called by name, built from the parts they order. */
import { directoryMethods, type DirectoryMethods } from "./methods/directory.ts";
import { failedMethods, type FailedParts } from "./methods/failed.ts";
import { messageMethods, type MessageParts } from "./methods/messages.ts";
import type { Method } from "./methods/method.ts";
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

export function createMethods(parts: MethodParts): { all: Method[]; directory: DirectoryMethods } {
  const directory = directoryMethods(parts.directory);
  return {
    all: [
      ...sessionMethods(parts),
      ...messageMethods(parts),
      ...queuedMethods(parts),
      ...syncMethods(parts),
      ...scheduledMethods(parts),
      ...failedMethods(parts),
      directory.start,
      directory.status,
      directory.jobs,
      directory.retry,
    ],
    directory,
  };
}
