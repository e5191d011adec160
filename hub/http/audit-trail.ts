/**
 * The one place where calls enter the audit log: each order that changes accounts, keys or webhooks leaves a row, however it
 * ended, and so does each call that was refused for want of a key or a scope. The table of routes says which is which. What is
 * known of an order is on disk before it is carried out, so that a kill in the middle hides nothing.
 */
import type { Request } from "express";
import type { ErrorCode } from "../contract/errors.ts";
import type { Audited, NewAuditEntry } from "../core/audit.ts";
import { isExpiry } from "./access-tokens.ts";
import type { Answer } from "./answer.ts";
import { authorOf, type Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import { toHubError } from "./errors.ts";
import { requestIdOf } from "./request-id.ts";
import type { Route } from "./route.ts";

/** One call on its way; what is learnt of it is noted as it comes. */
export interface Trail {
  by(caller: Caller): void;
  asks(query: Record<string, string>, body: Record<string, unknown>): void;
  /**
   * The call is about to be carried out, in this session if it is about one (else ""). Orders about a session are also told
   * in its timeline, before what they cause.
   */
  begins(sessionId: string): Promise<void>;
  /** The row, for an act whose write takes it along into its own transaction. */
  written: Audited;
  served(answer: Answer): Promise<void>;
  refused(error: unknown): Promise<void>;
}

export interface AuditTrail {
  begin(route: Route, request: Request): Trail;
}

type Parts = Pick<HttpContext, "clock" | "log"> & { store: Pick<HttpContext["store"], "audit" | "sessions"> };

const isOrder = ({ method, scope, audited }: Route): boolean =>
  audited || (method !== "get" && (scope === "admin" || scope === "webhooks"));

/** In place of a code: the hub ended before the order did. */
const BROKEN_OFF = "BROKEN_OFF";
const NOT_ADMITTED = new Set<ErrorCode>([
  "MISSING_API_KEY",
  "INVALID_API_KEY",
  "MISSING_TOKEN",
  "INVALID_TOKEN",
  "AUTHORIZATION_FAILED",
]);
const ACCIDENTS = new Set<ErrorCode>(["INTERNAL_ERROR", "STORE_UNAVAILABLE", "OVERLOADED", "SHUTTING_DOWN"]);

/** Fields whose values say what was ordered and nothing of persons; of all others only the name is kept. */
const TELLING = new Set([
  "scopes",
  "sessions",
  "allowedCidrs",
  "expiresAt",
  "graceSeconds",
  "enabled",
  "disabled",
  "events",
  "endpointId",
  "state",
  "event",
  "afterSeq",
  "dryRun",
  "mode",
  "quarantineId",
  "logout",
  "purge",
  "days",
  "historyDays",
  "retentionDays",
  "deleteMode",
  "sendToFrappe",
]);
/** Ids in paths that name no person. */
const NAMING = new Set(["sessionId", "endpointId", "deliveryId", "keyId", "eventId", "mediaId", "userId"]);
const MAX_FIELDS = 30;
const MAX_LIST = 20;
const MAX_TEXT = 200;

/** Names of what a caller wrote; what is no name of ours could be anything. */
function fieldsOf(given: Record<string, unknown>): Record<string, unknown> {
  const fields = Object.keys(given).filter((name) => /^[A-Za-z]\w{0,40}$/.test(name));
  return fields.length === 0 ? {} : { fields: fields.slice(0, MAX_FIELDS) };
}

/** Values that passed the route's schema, as far as they may be kept. */
const valuesOf = (given: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).filter(([name, value]) => TELLING.has(name) && isPlain(value)));

function isPlain(value: unknown): boolean {
  if (Array.isArray(value))
    return (
      value.length <= MAX_LIST && value.every((item) => typeof item === "string" && item.length <= MAX_TEXT)
    );
  return (
    typeof value === "boolean" ||
    typeof value === "number" ||
    (typeof value === "string" && value.length <= MAX_TEXT)
  );
}

export function createAuditTrail(parts: Parts): AuditTrail {
  const { store, clock, log } = parts;
  const refusals = createRefusalLimit();

  /** An act that happened stays true when its row cannot be written; the log of the process has it then. */
  const leave = async (entry: NewAuditEntry, begun: number | null): Promise<void> => {
    const written = begun === null ? store.audit.append(entry) : store.audit.end(begun, entry);
    await written.catch((cause: unknown) => {
      const { actor, action, target, outcome } = entry;
      log.error({ err: cause, actor, action, target, outcome }, "audit.not_written");
    });
  };

  const begin = (entry: NewAuditEntry): Promise<number | null> =>
    store.audit.begin(entry).catch((cause: unknown) => {
      log.warn({ err: cause, action: entry.action }, "audit.begin_not_written");
      return null;
    });

  /** Nothing more is to be said of it. */
  const drop = async (begun: number | null): Promise<void> => {
    if (begun === null) return;
    await store.audit.end(begun, null).catch((cause: unknown) => {
      log.warn({ err: cause }, "audit.end_not_written");
    });
  };

  return {
    begin: (route, request) => {
      let who: Pick<NewAuditEntry, "actor" | "actorName"> = { actor: "nobody", actorName: null };
      /** As a session's timeline names them: it is read by more than may read the audit log. */
      let author: string | null = null;
      let asked: Record<string, unknown> = {};
      let place: string | null = null;
      let isWritten = false;
      let begun: number | null = null;
      const action = `${route.method.toUpperCase()} ${route.path}`;

      const entry = (outcome: NewAuditEntry["outcome"], target: string | null, more = {}): NewAuditEntry => ({
        at: clock.now(),
        ...who,
        action,
        target: target?.slice(0, MAX_TEXT) ?? null,
        outcome,
        details: {
          requestId: requestIdOf(request),
          ...fieldsOf(asked),
          ...(outcome === "done" ? valuesOf(asked) : {}),
          ...more,
        },
      });
      const inPath = (): string | null =>
        Object.entries(request.params)
          .filter(([name, value]) => NAMING.has(name) && /^[\w-]{1,100}$/.test(String(value)))
          .map(([, value]) => String(value))
          .join(" ") || null;

      return {
        by: (caller) => {
          who = { actor: caller.key.id, actorName: caller.key.name };
          author = `the ${caller.person === null ? "key" : "user"} "${authorOf(caller)}"`;
        },
        asks: (query, body) => {
          asked = { ...query, ...body };
        },
        begins: async (sessionId) => {
          if (sessionId !== "") place = sessionId;
          if (!isOrder(route)) return;
          begun = await begin(entry("failed", place ?? inPath(), { ...valuesOf(asked), code: BROKEN_OFF }));
          if (place === null || route.scope !== "admin") return;
          const text = `${orderIn(route, asked)}, by ${author ?? who.actor}`;
          await store.sessions.note(place, { type: "order", text, reason: null });
        },
        written: (target) => {
          isWritten = true;
          return entry("done", target);
        },
        served: async (answer) => {
          if (!isOrder(route)) return;
          if (isWritten) return drop(begun);
          const isRepeat = "Idempotent-Replayed" in answer.headers;
          await leave(entry(isRepeat ? "repeated" : "done", place ?? idIn(answer) ?? inPath()), begun);
        },
        refused: async (error) => {
          const failure = toHubError(error);
          const { code } = failure;
          if (isExpiry(failure) || (!isOrder(route) && !NOT_ADMITTED.has(code))) return drop(begun);
          const outcome = ACCIDENTS.has(code) ? "failed" : "refused";
          const room = refusals.take(`${who.actor} ${action} ${code}`, clock.now());
          if (room === null) return drop(begun);
          await leave(entry(outcome, place ?? inPath(), { code, ...room }), begun);
        },
      };
    },
  };
}

/** The last word of a path, or what deleting it is called; with the way it is to be done, which the schema has checked. */
function orderIn({ method, path }: Route, { mode }: Record<string, unknown>): string {
  const word = method === "delete" ? "delete" : (path.split("/").at(-1) ?? path);
  return typeof mode === "string" ? `${word} (${mode})` : word;
}

/** Of what was made or changed, as its answer names it. */
function idIn({ body }: Answer): string | null {
  if (body.kind !== "text" || !body.type.startsWith("application/json")) return null;
  const answer: unknown = JSON.parse(body.text);
  const data = memberOf(answer, "data");
  const id = memberOf(data, "sessionId") ?? memberOf(data, "id") ?? memberOf(data, "job");
  return typeof id === "string" ? id : null;
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;

const WINDOW_MS = 60_000;
/** Enough to see an attack, too few to fill a disk with it. */
const ROWS_PER_WINDOW = 60;

/** The same refusal is written once a minute, all together sixty; how many were left out stands in the next one. */
function createRefusalLimit() {
  let since = 0;
  let leftOut = 0;
  const seen = new Set<string>();
  return {
    take: (what: string, now: Date): { leftOut?: number } | null => {
      if (Math.abs(now.getTime() - since) >= WINDOW_MS) {
        since = now.getTime();
        seen.clear();
      }
      if (seen.has(what) || seen.size >= ROWS_PER_WINDOW) {
        leftOut++;
        return null;
      }
      seen.add(what);
      const before = leftOut;
      leftOut = 0;
      return before === 0 ? {} : { leftOut: before };
    },
  };
}
