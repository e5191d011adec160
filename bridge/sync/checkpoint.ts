/** Where a sync is, and where it goes after each page. Pure: the queue keeps what these functions answer. */
import type { Checkpoint, SyncJob, SyncStep } from "../state/bridge-state.ts";

export type SyncParts = SyncJob["parts"];

/** Clocks of hub and bridge differ, and what is being written while a list is read must not fall between two passes. */
const OVERLAP_SECONDS = 2 * 60;
/** Older places are not gone on from: what was read before them is too old to be called synced. */
const USABLE_SECONDS = 24 * 60 * 60;

/** A moment so far ahead is one of a clock that was set back since: what changed in between may bear earlier times. */
const isAhead = (seconds: number, now: Date): boolean => seconds > now.getTime() / 1000 + OVERLAP_SECONDS;

/** From when on what changed is to be read, of a session synced up to `kept`; null: nobody knows, all of it is. */
export const syncedUntil = (kept: number | undefined, now: Date): number | null =>
  kept === undefined || isAhead(kept, now) ? null : kept;

/** Entries that no clock could have made yet. Seen soon enough: once that time has come, nothing tells them from good ones. */
export const withoutAhead = (kept: Record<string, number>, now: Date): Record<string, number> =>
  Object.fromEntries(Object.entries(kept).filter(([, seconds]) => !isAhead(seconds, now)));

/** The step after `step`, among those this job is to do. */
export function stepAfter(step: SyncStep, parts: SyncParts): SyncStep {
  if (step === "check" && parts.contacts) return "contacts";
  if ((step === "check" || step === "contacts") && parts.chats) return "chats";
  if (step !== "messages" && step !== "stats" && parts.messages) return "messages";
  return "stats";
}

/** The start of a pass. `syncedUntil`: up to when everything was synced before; null reads the lists whole. */
export const startOfPass = (parts: SyncParts, begun: number, syncedUntil: number | null): Checkpoint => ({
  step: stepAfter("check", parts),
  cursor: null,
  done: 0,
  chatIds: [],
  inChat: 0,
  begun,
  since: syncedUntil === null ? null : Math.max(0, syncedUntil - OVERLAP_SECONDS),
});

export const nextStep = (checkpoint: Checkpoint, parts: SyncParts): Checkpoint => ({
  ...checkpoint,
  step: stepAfter(checkpoint.step, parts),
  cursor: null,
  done: 0,
  chatIds: [],
  inChat: 0,
});

/** A page of contacts or chats is written; `done` counts it. */
export const afterPage = (
  checkpoint: Checkpoint,
  page: { done: number; nextCursor: string | null; isLast: boolean },
  parts: SyncParts,
): Checkpoint =>
  page.isLast ? nextStep(checkpoint, parts) : { ...checkpoint, cursor: page.nextCursor, done: page.done };

/** The chats whose messages are to be read. None: there is nothing to do in this step. */
export const withChats = (checkpoint: Checkpoint, chatIds: string[], parts: SyncParts): Checkpoint =>
  chatIds.length === 0 ? nextStep(checkpoint, parts) : { ...checkpoint, chatIds, done: 0 };

/** A page of the first chat's messages is written. */
export function afterMessages(
  checkpoint: Checkpoint,
  page: { chatId: string; items: number; done: number; nextCursor: string | null; isLast: boolean },
  parts: SyncParts,
): Checkpoint {
  const done = checkpoint.done + page.items;
  if (!page.isLast) return { ...checkpoint, done, cursor: page.nextCursor, inChat: page.done };
  const chatIds = checkpoint.chatIds.filter((chatId) => chatId !== page.chatId);
  return chatIds.length === 0
    ? nextStep(checkpoint, parts)
    : { ...checkpoint, done, chatIds, cursor: null, inChat: 0 };
}

/** The place from which a new job goes on: that of the session's last one, when it did not come to its end. */
export function placeToContinue(
  last: SyncJob | undefined,
  { parts, now }: { parts: SyncParts; now: Date },
): Checkpoint | null {
  if (last === undefined || last.checkpoint === null) return null;
  if (last.status !== "incomplete" && last.status !== "failed") return null;
  const isSameWork =
    last.parts.contacts === parts.contacts &&
    last.parts.chats === parts.chats &&
    last.parts.messages === parts.messages;
  const { begun } = last.checkpoint;
  const isUsable = now.getTime() / 1000 - begun < USABLE_SECONDS && !isAhead(begun, now);
  return isSameWork && isUsable ? last.checkpoint : null;
}
