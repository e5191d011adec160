/** What a Frappe site's answer means: its data, a refusal of this one record, or trouble that concerns all of them. Pure. */
import { z } from "zod";
import { CrmMisconfigured, CrmUnavailable } from "../../errors.ts";

/** The site refuses this record or request; others may go through. */
export class SiteRefusal extends Error {
  readonly status: number;
  readonly excType: string;

  constructor(status: number, excType: string, message: string) {
    super(message);
    this.name = "SiteRefusal";
    this.status = status;
    this.excType = excType;
  }
}

/** A request went out and no answer came back: the site may have done what was asked, or not. */
export class AnswerLost extends CrmUnavailable {
  /** It took its whole time: the site may still be at it. */
  readonly timedOut: boolean;

  constructor(
    message: string,
    { timedOut, code = null, cause }: { timedOut: boolean; code?: string | null; cause: unknown },
  ) {
    super(message, { code, cause });
    this.name = "AnswerLost";
    this.timedOut = timedOut;
  }
}

/** Something before the site answered in its place: the site may have done what was asked, or not. */
export class ForeignAnswer extends CrmUnavailable {
  constructor(
    message: string,
    options?: { retryAfterSeconds?: number | null; code?: string | null; cause?: unknown },
  ) {
    super(message, options);
    this.name = "ForeignAnswer";
  }
}

/**
 * The site's own code failed over what it was asked, and kept nothing of it. That may be the site's trouble, or that of one
 * document which it cannot digest: a field of it that a rule of the site's own stumbles over.
 */
export class SiteFault extends CrmUnavailable {
  /** What the site said, without the call that it was said to. */
  readonly reason: string;

  constructor(message: string, reason: string, code: string | null) {
    super(message, { code });
    this.name = "SiteFault";
    this.reason = reason;
  }
}

/** A write that failed so may be done, or be under way still: nothing that the site itself said speaks against it. */
export const mayBeDone = (error: unknown): boolean =>
  error instanceof AnswerLost || error instanceof ForeignAnswer;

export interface SiteAnswer {
  status: number;
  retryAfter: string | null;
  body: string;
}

const errorBody = z.object({
  exc_type: z.string().optional(),
  exception: z.string().optional(),
  _server_messages: z.string().optional(),
  exc: z.string().optional(),
});

/** @throws SiteRefusal | SiteFault | CrmUnavailable | CrmMisconfigured; `what` names the call in their messages */
export function readAnswer(what: string, answer: SiteAnswer, now: Date): unknown {
  const { status, body } = answer;
  const json = parsed(body);
  if (status < 200 || status >= 300) throw failureOf(what, answer, errorBody.safeParse(json).data ?? {}, now);
  if (json !== undefined) return json;
  // A proxy, a maintenance page or a login form: whatever it is, it is not the site's word.
  throw new ForeignAnswer(`${what}: the site answered ${status} with something that is not JSON`, {
    code: "NotJson",
  });
}

function failureOf(
  what: string,
  { status, retryAfter }: SiteAnswer,
  error: z.infer<typeof errorBody>,
  now: Date,
): Error {
  const excType = excTypeOf(error);
  const text = innermostMessage(error) ?? `HTTP ${status}`;
  const says = `${what}: ${text}`;
  const code = /^\w{1,80}$/.test(excType) ? excType : `HTTP_${status}`;
  if (status === 401 || status === 403) return new CrmMisconfigured(says, { code });
  if (status < 400)
    return new CrmMisconfigured(`${what}: the site redirects; use its final address in FRAPPE_URL`, { code });
  if (excType === "ImportError" || (status === 404 && isUnknownDocType(error)))
    return new CrmMisconfigured(`${says}. The site lacks this document type; prepare it once`, { code });
  const patience = { retryAfterSeconds: secondsOf(retryAfter, now), code };
  if (isForeign(status, error)) return new ForeignAnswer(says, patience);
  if (!isTrouble(status, excType, text)) return new SiteRefusal(status, excType, text);
  if (mayBeOfOneDocument(status, excType, patience))
    return new SiteFault(says, reasonOf(excType, text), code);
  return new CrmUnavailable(says, patience);
}

/** What was refused, or failed, in the words of the site. */
export const reasonOf = (excType: string, text: string): string =>
  excType === "" ? text : `${excType}: ${text}`;

/** An answer in another shape than Frappe's is somebody else's: nothing can be said about what was done. */
export function expecting<T>(schema: z.ZodType<T>, answer: unknown): T {
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  throw new ForeignAnswer("the site answered in an unknown shape", {
    code: "NotAsAgreed",
    cause: read.error,
  });
}

/** Of a proxy: no such site, a page of maintenance that takes no writes, a request that did not arrive whole. */
const SITE_NOT_THERE = [404, 405, 408];
/** The site's own code says what failed, and keeps nothing of a request that did. */
const isForeign = (status: number, error: z.infer<typeof errorBody>): boolean =>
  Object.keys(error).length === 0 && (status >= 500 || SITE_NOT_THERE.includes(status));

/** A record that the database cannot take is refused with 417 by some releases and with 500 by others. */
const REFUSED_WITH_500 = ["DataError", "CharacterLengthExceededError"];
/** What a site says when its database is busy. Nothing of the record is to blame, whatever the status. */
const BUSY = ["QueryTimeoutError", "QueryDeadlockError", "TooManyWritesError", "RateLimitExceededError"];

/** Of the database as a whole: full, restarting, out of connections. */
const DATABASE_AWAY = ["OperationalError", "InterfaceError", "InternalError"];
const mayBeOfOneDocument = (
  status: number,
  excType: string,
  { retryAfterSeconds }: { retryAfterSeconds: number | null },
): boolean =>
  status === 500 && retryAfterSeconds === null && !BUSY.includes(excType) && !DATABASE_AWAY.includes(excType);

const isTrouble = (status: number, excType: string, text: string): boolean =>
  status === 429 ||
  BUSY.includes(excType) ||
  (status >= 500 && !REFUSED_WITH_500.includes(excType) && !UNKNOWN_COLUMN.test(text));

const isUnknownDocType = (error: z.infer<typeof errorBody>): boolean =>
  /\bDocType\b.*\bnot found\b/i.test(`${error.exception ?? ""} ${innermostMessage(error) ?? ""}`);

const excTypeOf = ({ exc_type, exception }: z.infer<typeof errorBody>): string =>
  exc_type ?? exception?.split(":")[0]?.split(".").at(-1)?.trim() ?? "";

/**
 * `_server_messages` is a JSON list of JSON texts, each an object with a `message` or a text again. The last one is what
 * stopped the call.
 */
export function innermostMessage({ _server_messages, exception }: z.infer<typeof errorBody>): string | null {
  const outer: unknown = _server_messages === undefined ? undefined : parsed(_server_messages);
  const last: unknown = Array.isArray(outer) ? outer.at(-1) : outer;
  const inner = typeof last === "string" ? (parsed(last) ?? last) : last;
  const said = z.object({ message: z.string() }).safeParse(inner).data?.message ?? inner;
  const text = typeof said === "string" && said !== "" ? said : exception;
  return text === undefined ? null : withoutTags(text).slice(0, 500);
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", nbsp: " " };

export const withoutTags = (text: string): string =>
  text
    .replace(/<\/?[a-zA-Z][^>]*>/g, "")
    .replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    .trim();

const UNKNOWN_COLUMN = /Unknown column '(?:[^'.]*\.)?`?(\w+)`?'/;

/** The column that a list must not name: `Field not permitted in query: x` or `Unknown column 'tabY.x' in …`. */
export function unknownField({ message }: SiteRefusal): string | null {
  const match =
    /Field not permitted in query: *[`"']?(?:tab[^.]*\.)?[`"']?(\w+)/.exec(message) ??
    UNKNOWN_COLUMN.exec(message);
  return match?.[1] ?? null;
}

/** `SQL functions are not allowed as strings in SELECT: … Use dict syntax …` */
export const wantsObjects = ({ message }: SiteRefusal): boolean =>
  /SQL functions are not allowed as strings/i.test(message);

export const isDuplicate = ({ excType }: SiteRefusal): boolean =>
  ["DuplicateEntryError", "UniqueValidationError", "NameError"].includes(excType);

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
