/** What an endpoint may look like. Every problem is found at once, so that a caller mends them in one go. */
import { secretProblem } from "../contract/signature.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { HubError } from "../core/errors.ts";
import type { AddressGuard } from "../core/webhook-address.ts";
import { authorityProblems } from "./authorities.ts";
import { isOwnHeader } from "./wire-headers.ts";

export interface Problem {
  path: string;
  problem: string;
}

export const invalid = (fields: Problem[]): HubError =>
  new HubError("VALIDATION_ERROR", fields.map(({ path, problem }) => `${path}: ${problem}`).join("; "), {
    details: { fields },
  });

const MAX_URL = 2048;
const MAX_HEADERS = 10;
const MAX_HEADER_VALUE = 1024;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const PRINTABLE = /^[\x20-\x7e]*$/;
const LIMITS = { timeoutMs: [5000, 30_000], concurrency: [1, 32] } as const;

export function settingProblems(endpoint: Endpoint): Problem[] {
  const problems = Object.entries(LIMITS).flatMap(([path, [least, most]]) => {
    const value = path === "timeoutMs" ? endpoint.timeoutMs : endpoint.concurrency;
    return Number.isInteger(value) && value >= least && value <= most
      ? []
      : [{ path, problem: `use a whole number from ${least} to ${most}` }];
  });
  if (endpoint.sessions !== "*" && endpoint.sessions.length === 0)
    problems.push({ path: "sessions", problem: 'use "*" or at least one session id' });
  if (endpoint.events.length === 0)
    problems.push({ path: "events", problem: 'use ["*"] or at least one event name' });
  const { signatureHeaderName: name } = endpoint;
  if (name !== null && (!HEADER_NAME.test(name) || (isOwnHeader(name) && name.toLowerCase() !== "signature")))
    problems.push({
      path: "signatureHeaderName",
      problem: "use a header name that the hub does not set itself",
    });
  return [...problems, ...headerProblems(endpoint)];
}

export const caProblems = ({ ca }: Pick<Endpoint, "ca">, now: Date): Problem[] =>
  (ca === null ? [] : authorityProblems(ca, now)).map((problem) => ({ path: "ca", problem }));

function headerProblems({ headers, signatureHeaderName }: Endpoint): Problem[] {
  const names = Object.keys(headers);
  const problems =
    names.length > MAX_HEADERS ? [{ path: "headers", problem: `use at most ${MAX_HEADERS}` }] : [];
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const path = `headers.${name}`;
    if (!HEADER_NAME.test(name)) problems.push({ path, problem: "is no header name" });
    else if (isOwnHeader(name) || name.toLowerCase() === signatureHeaderName?.toLowerCase())
      problems.push({ path, problem: "is set by the hub itself" });
    else if (seen.has(name.toLowerCase())) problems.push({ path, problem: "is given twice" });
    if (!PRINTABLE.test(value) || value.length > MAX_HEADER_VALUE)
      problems.push({ path, problem: `use at most ${MAX_HEADER_VALUE} printable ASCII characters` });
    seen.add(name.toLowerCase());
  }
  return problems;
}

/** As far as its text tells: a name may still lead to an address that must not be called. */
export function urlTextProblems(url: string, guard: AddressGuard): Problem[] {
  if (url.length > MAX_URL) return [{ path: "url", problem: `use at most ${MAX_URL} characters` }];
  try {
    guard.check(url);
    return [];
  } catch (error) {
    return problemsIn(error);
  }
}

export async function urlProblems(url: string, guard: AddressGuard): Promise<Problem[]> {
  const problems = urlTextProblems(url, guard);
  if (problems.length > 0) return problems;
  try {
    await guard.checkHost(url);
    return [];
  } catch (error) {
    return problemsIn(error);
  }
}

function problemsIn(error: unknown): Problem[] {
  if (!(error instanceof HubError)) throw error;
  const fields: unknown = error.details?.["fields"];
  return Array.isArray(fields) ? fields.filter(isProblem) : [{ path: "url", problem: error.message }];
}

const isProblem = (value: unknown): value is Problem =>
  typeof value === "object" && value !== null && "path" in value && "problem" in value;

const SESSION_WORDS: Record<string, string> = { url: "webhookUrl", secret: "webhookSecret" };

/** The same refusal with the names that the members have where a session's webhook is set. */
export function inSessionWords(error: unknown): unknown {
  const fields: unknown = error instanceof HubError ? error.details?.["fields"] : undefined;
  if (!Array.isArray(fields)) return error;
  return invalid(
    fields.filter(isProblem).map(({ path, problem }) => ({ path: SESSION_WORDS[path] ?? path, problem })),
  );
}

export function secretProblems(secret: string | undefined): Problem[] {
  const problem = secret === undefined ? null : secretProblem(secret);
  return problem === null ? [] : [{ path: "secret", problem }];
}
