/** What a CRM's status means: an answer, a refusal of this record, or trouble that concerns all of them. Pure. */
import { z } from "zod";
import { CrmMisconfigured, CrmUnavailable } from "../../errors.ts";

/** The CRM looked at what was sent and does not want it. */
export class CrmRefusal extends Error {
  /** It is too much at once, or wrong as a whole. */
  readonly status: 400 | 413 | 422;

  constructor(status: 400 | 413 | 422, message: string) {
    super(message);
    this.name = "CrmRefusal";
    this.status = status;
  }
}

/** Asks the CRM something else: what it fails with, or null where it answers. */
export type AskTrouble = () => Promise<CrmUnavailable | CrmMisconfigured | null>;

/**
 * A refusal is about what was sent only where the CRM answers other questions: a wrong name of its host, or what guards it,
 * refuses everything, and nothing may be given up for that.
 */
export async function mustBeWell(refusal: CrmRefusal, trouble: AskTrouble): Promise<void> {
  const cause = await trouble();
  if (cause === null) return;
  if (cause instanceof CrmUnavailable) {
    const { retryAfterSeconds, code } = cause;
    throw new CrmUnavailable(`${refusal.message} (${cause.message})`, { retryAfterSeconds, code, cause });
  }
  const advice =
    "the CRM does not say how much it holds either: it, or what stands before it, refuses everything";
  const code = codeOf(refusal.status);
  throw new CrmMisconfigured(`${refusal.message} (${advice})`, { code, cause: refusal });
}

/** The CRM has no such call. Where it may lack it that is no trouble; elsewhere a person must look at a setting. */
export class NotCovered extends CrmMisconfigured {
  /** It says so itself (501); otherwise the path is just not there, which may be a mistake. */
  readonly isMeant: boolean;

  constructor(message: string, { isMeant, code }: { isMeant: boolean; code: string | null }) {
    super(message, { code });
    this.isMeant = isMeant;
  }
}

/** The CRM failed over what it was sent. That may be its own trouble, or that of one record which it cannot digest. */
export class CrmFault extends CrmUnavailable {}

export interface CrmAnswer {
  status: number;
  retryAfter: string | null;
  body: string;
}

const REDIRECTS = "the CRM redirects: use its final address, with or without the slash at the end";
const ADVICE: Record<number, string> = {
  401: "check CRM_AUTH and CRM_SECRET",
  403: "check CRM_AUTH and CRM_SECRET; in Django, exempt the view from CSRF protection",
  404: "check CRM_URL and the paths in CRM_MAP",
  405: "check the paths in CRM_MAP",
  419: "CSRF protection is active on this route: in Laravel, put it among the API routes",
};

/** @throws CrmRefusal | NotCovered | CrmFault | CrmUnavailable | CrmMisconfigured; `what` names the call in their messages */
export function readCrmAnswer(what: string, answer: CrmAnswer, now: Date): unknown {
  const { status, body } = answer;
  const json = parsed(body);
  if (status !== 200 && status !== 201) throw failureOf(what, answer, json, now);
  if (json !== undefined) return json;
  const problem = `${what}: the CRM answered ${status} with something that is not JSON`;
  throw new CrmUnavailable(problem, { code: "NotJson" });
}

/** The kind of trouble, for the log: its words may name people. */
export const codeOf = (status: number): string => `HTTP_${status}`;
/** The same of an answer that was none of those that the contract has. */
export const NOT_AS_AGREED = { code: "NotAsAgreed" };

const LATER = [408, 409, 429];

function failureOf(what: string, { status, retryAfter }: CrmAnswer, json: unknown, now: Date): Error {
  const says = `${what}: ${errorText(json) ?? `HTTP ${status}`}`;
  const code = codeOf(status);
  if (status === 400 || status === 413 || status === 422) return new CrmRefusal(status, says);
  if (status === 501) return new NotCovered(says, { isMeant: true, code });
  if (retryAfter === null && status >= 500 && status !== 503) return new CrmFault(says, { code });
  if (LATER.includes(status) || status >= 500)
    return new CrmUnavailable(says, { retryAfterSeconds: secondsOf(retryAfter, now), code });
  // An answer that promises to look at it later, or has nothing to say, is no proof that anything was kept.
  if (status < 300)
    return new CrmUnavailable(`${what}: HTTP ${status} does not say what became of the records`, { code });
  return wrongSetting(status, says);
}

function wrongSetting(status: number, says: string): CrmMisconfigured {
  const advice = status < 400 ? REDIRECTS : ADVICE[status];
  const advised = advice === undefined ? says : `${says} (${advice})`;
  const isAbsent = status === 404 || status === 405;
  const code = codeOf(status);
  return isAbsent
    ? new NotCovered(advised, { isMeant: false, code })
    : new CrmMisconfigured(advised, { code });
}

const errorSchema = z.object({
  error: z.string().optional(),
  message: z.string().optional(),
  detail: z.string().optional(),
});

function errorText(json: unknown): string | null {
  const said = errorSchema.safeParse(json).data;
  const text = said?.error ?? said?.message ?? said?.detail;
  return text === undefined || text === "" ? null : text.slice(0, 500);
}

function secondsOf(retryAfter: string | null, now: Date): number | null {
  if (retryAfter === null) return null;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter);
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // how the parser says that it is no JSON
  }
}
