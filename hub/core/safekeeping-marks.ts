/** Names of the marks that tell when a copy was last made, and last tried out, and when either last went wrong. */
export const SAFEKEEPING_MARKS = {
  backup: { done: "backup:made", failed: "backup:failed" },
  drill: { done: "drill:done", failed: "drill:failed" },
} as const;

/** The newest copy made by hand that is in the audit log. */
export const MANUAL_BACKUP_MARK = "backup:manual";

/** How the last turn ended, or that there was none for too long. */
export type SafekeepingNews = "done" | "failed" | "overdue";
