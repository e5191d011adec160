/** One line of the doctor: what was looked at, how it is, and what to do. */
export interface Check {
  what: string;
  /** skipped: could not be looked at, which is no problem of its own. */
  outcome: "ok" | "problem" | "skipped";
  detail: string;
  advice: string | null;
}

export const fine = (what: string, detail: string): Check => ({ what, outcome: "ok", detail, advice: null });
export const problem = (what: string, detail: string, advice: string): Check => ({
  what,
  outcome: "problem",
  detail,
  advice,
});
export const skipped = (what: string, detail: string): Check => ({
  what,
  outcome: "skipped",
  detail,
  advice: null,
});

/** The system's word for a failure (`ECONNREFUSED`), or its sentence. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.cause === undefined ? error.message : codeOf(error.cause);
}
