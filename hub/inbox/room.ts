/** Backpressure: while deliveries pile up or the disk runs out, nothing new is taken from callers; WhatsApp's is. */
import { statfs } from "node:fs/promises";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { OutboxStats } from "../core/store.ts";

const MAX_BACKLOG = 1_000_000;
const FULL_SHARE = 0.9;
/** Sends are taken again below this, so that they do not flicker at the edge. */
const ROOM_SHARE = 0.85;
const LOW_SHARE = 0.8;
/** A tenth of a big disk is plenty: what counts there is whether the next hours fit. */
const ENOUGH_BYTES = 1024 * 1024 * 1024;
/** Files leave so much for everything else: one account's must not stop the messages of all. */
const ENOUGH_BESIDE_FILES_BYTES = 2 * ENOUGH_BYTES;
const LOOK_EVERY_MS = 5_000;
const RETRY_AFTER_SECONDS = 30;

export interface Room {
  /** Before a message is taken. @throws HubError OVERLOADED */
  refuseWhenFull(): Promise<void>;
  /** Before a file is written. @throws HubError OVERLOADED, long before messages are refused for want of room */
  refuseFiles(): Promise<void>;
}

export interface RoomParts {
  outbox: { stats(endpointId: null, now: Date): Promise<Pick<OutboxStats, "pending" | "retrying">> };
  /** Folder whose disk fills up. */
  dir: string;
  clock: Clock;
  freeSpace?: (dir: string) => Promise<DiskSpace>;
}

export interface DiskSpace {
  freeBytes: number;
  totalBytes: number;
}

/** How much of what there is room for is used, by the scarcer of both; 1 is full. */
export function usedShare(backlog: number, space: DiskSpace): number {
  return Math.max(backlog / MAX_BACKLOG, usedDisk(space, ENOUGH_BYTES));
}

const usedDisk = ({ freeBytes, totalBytes }: DiskSpace, enoughBytes: number): number =>
  freeBytes >= enoughBytes ? 0 : 1 - freeBytes / totalBytes;

export function createRoom({ outbox, dir, clock, freeSpace = diskSpace }: RoomParts): Room {
  let isFull = false;
  let isFullOfFiles = false;
  let lookedAt = Number.NEGATIVE_INFINITY;

  const look = async (now: Date): Promise<void> => {
    const [{ pending, retrying }, space] = await Promise.all([outbox.stats(null, now), freeSpace(dir)]);
    isFull = usedShare(pending + retrying, space) >= (isFull ? ROOM_SHARE : FULL_SHARE);
    isFullOfFiles = usedDisk(space, ENOUGH_BESIDE_FILES_BYTES) >= LOW_SHARE;
  };

  const lookSometimes = async (): Promise<void> => {
    const now = clock.now();
    if (Math.abs(now.getTime() - lookedAt) < LOOK_EVERY_MS) return;
    lookedAt = now.getTime();
    await look(now);
  };

  return {
    refuseWhenFull: async () => {
      await lookSometimes();
      if (isFull) throw noRoom("The hub has no room for more at the moment.");
    },
    refuseFiles: async () => {
      await lookSometimes();
      if (isFullOfFiles) throw noRoom("The hub has no room for files at the moment.");
    },
  };
}

const noRoom = (message: string): HubError =>
  new HubError("OVERLOADED", message, { retryAfterSeconds: RETRY_AFTER_SECONDS });

/** Time enough to act before sends are refused. */
export const isDiskLow = async (dir: string): Promise<boolean> =>
  usedShare(0, await diskSpace(dir)) >= LOW_SHARE;

async function diskSpace(dir: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(dir);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
