/** Names of the marks that tell when a copy was last made, and last tried out, and when either last went wrong. */
export const SAFEKEEPING_MARKS = {
  backup: { done: "backup:made", failed: "backup:failed" },
  drill: { done: "drill:done", failed: "drill:failed" },
} as const;
