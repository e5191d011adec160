/** What was taken apart of one session, step by step, and what can be undone of it. */
import type { NewEvent } from "./store.ts";

/**
 * soft        everything but the login; connects again with it.
 * quarantine  the login goes out of use as well, and can be brought back for some days; a new QR code is offered.
 * retire      as quarantine, and WhatsApp is told that this device is gone.
 */
export const CLEANUP_MODES = ["soft", "quarantine", "retire"] as const;
export type CleanupMode = (typeof CLEANUP_MODES)[number];

export const CLEANUP_STEPS = ["socket", "qr", "caches", "locks", "credentials", "settle"] as const;

export interface CleanupStep {
  name: (typeof CLEANUP_STEPS)[number];
  ok: boolean;
  ms: number;
  error?: string;
}

export interface CleanupReport {
  sessionId: string;
  mode: CleanupMode;
  /** Null when no login was put away. */
  quarantineId: string | null;
  /** Null when what was put away cannot come back. */
  undoUntil: Date | null;
  steps: CleanupStep[];
}

export const presentCleanup = ({ undoUntil, ...report }: CleanupReport) => ({
  ...report,
  undoUntil: undoUntil?.toISOString() ?? null,
});

export function sessionCleanup(report: CleanupReport): NewEvent {
  const { mode, quarantineId, undoUntil, steps } = presentCleanup(report);
  return {
    event: "session.cleanup",
    chatId: null,
    data: { mode, quarantineId, undoUntil, steps },
    exceptClient: null,
    notBefore: null,
  };
}
