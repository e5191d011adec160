/**
 * A route is one declaration: method, path, what comes in, what goes out, who may call. The router, the validation, the
 * scope check, the limits and the OpenAPI page are all made from it.
 */
import type { Request, Response } from "express";
import { z } from "zod";
import type { Scope } from "../core/api-key.ts";
import type { Audited } from "../core/audit.ts";
import type { Session } from "../core/session.ts";
import type { Answer } from "./answer.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import { invalid, invalidBySchema } from "./errors.ts";
import { JSON_LIMIT } from "./json-body.ts";
import { reachSession } from "./reach.ts";

/**
 * `open`: no key at all. `local or read`: a key with `read`, or a call from this machine. `person`: anybody who logged in,
 * whatever he may do.
 */
export type Admission = Scope | "open" | "local or read" | "person";

/** How the body arrives: as a JSON object of at most so many bytes, or as a stream that the handler reads. */
export type BodyForm = { form: "json"; maxBytes: number } | { form: "stream" };

/** A request on its way to its handler. */
export interface Call {
  caller: Caller | null;
  params: Record<string, string>;
  query: Record<string, string>;
  /** The JSON body, read once; `{}` when there is none. */
  readBody(): Promise<Record<string, unknown>>;
  /** Runs work at most once per `Idempotency-Key`; `place` names the session it happens in. */
  once(place: string, work: (reservedId: string | undefined) => Promise<Answer>): Promise<Answer>;
  /** The row of the audit log about this call, for a write that takes it along; without one the row follows the answer. */
  audited: Audited;
  /** Who it was, where only the call itself proves it. */
  by(caller: Caller): void;
  /** Counts a message about to be sent. @throws HubError `MESSAGE_RATE_LIMIT_EXCEEDED` */
  countSend(sessionId: string): Promise<void>;
  request: Request;
  response: Response;
}

/** What the router and the OpenAPI page know of a route. */
export interface Route {
  method: "get" | "post" | "put" | "delete";
  path: string;
  summary: string;
  scope: Admission;
  /** ◆: relied on by existing clients; unknown fields are ignored. */
  contract: boolean;
  counted: boolean;
  params: z.ZodObject;
  query: z.ZodObject;
  body: z.ZodType | null;
  bodyForm: BodyForm;
  /** A body as a caller might send it, for the OpenAPI page. */
  example: unknown;
  /** Schema of `data`; or bytes of whatever type. */
  response: z.ZodType | "bytes";
  /** Envelope with `data`, or the body as it is. */
  envelope: boolean;
  /** Never 202: programs of old take it for a failure, and call again. */
  status: 200 | 201;
  /** Enters the audit log, though it needs no scope. */
  audited: boolean;
  /** Checks ownership of a session named in the path before anything else. */
  inSession: boolean;
  serve(call: Call, ctx: HttpContext): Promise<Answer>;
}

type Shape = z.ZodObject;

interface Declaration<P extends Shape, Q extends Shape, B extends z.ZodType> {
  method: Route["method"];
  path: string;
  summary: string;
  params?: P;
  query?: Q;
  /** Schema of the JSON body; for a stream only its description. */
  body?: B;
  bodyForm?: BodyForm;
  example?: unknown;
  response: Route["response"];
  contract?: true;
  counted?: false;
  envelope?: false;
  status?: 201;
  audited?: true;
}

interface Input<P extends Shape, Q extends Shape, B extends z.ZodType> {
  params: z.output<P>;
  query: z.output<Q>;
  body: z.output<B>;
  call: Call;
}

/** What handlers that may be repeated get beside: the id that a first, interrupted try already used. */
interface Once {
  caller: Caller;
  reservedId: string | undefined;
}

const NOTHING = z.object({});
type Nothing = typeof NOTHING;

type Handle<I> = (input: I, ctx: HttpContext) => Promise<Answer> | Answer;

/** A route for callers with a key or a token. */
export function route<P extends Shape = Nothing, Q extends Shape = Nothing, B extends z.ZodType = Nothing>(
  declared: Declaration<P, Q, B> & { scope: Scope | "person"; handle: Handle<Input<P, Q, B> & Once> },
): Route {
  return {
    ...described(declared, declared.scope),
    serve: async (call, ctx) => {
      const caller = knownCaller(call);
      const input = await parse(declared, call);
      return call.once("", async (reservedId) => declared.handle({ ...input, caller, reservedId }, ctx));
    },
  };
}

/** A route below one session: the handler gets that session, and never one the caller may not see. */
export function sessionRoute<P extends Shape, Q extends Shape = Nothing, B extends z.ZodType = Nothing>(
  declared: Declaration<P, Q, B> & {
    params: P;
    scope: Scope;
    handle: Handle<Input<P, Q, B> & Once & { session: Session }>;
  },
): Route {
  return {
    ...described(declared, declared.scope),
    inSession: true,
    serve: async (call, ctx) => {
      const caller = knownCaller(call);
      const { sessionId } = check(SESSION_IN_PATH, call.params, "path");
      const session = await reachSession(sessionId, caller, ctx.sessions);
      const input = await parse(declared, call);
      return call.once(session.sessionId, async (reservedId) =>
        declared.handle({ ...input, caller, session, reservedId }, ctx),
      );
    },
  };
}

/** A route without a key. */
export function openRoute<
  P extends Shape = Nothing,
  Q extends Shape = Nothing,
  B extends z.ZodType = Nothing,
>(
  declared: Declaration<P, Q, B> & {
    scope: "open" | "local or read";
    handle: Handle<Input<P, Q, B>>;
  },
): Route {
  return {
    ...described(declared, declared.scope),
    counted: false,
    serve: async (call, ctx) => declared.handle(await parse(declared, call), ctx),
  };
}

/** `sessionId` of a path: the name or the integer. */
export const sessionIdInPath = z
  .string()
  .regex(/^[a-zA-Z0-9_-]{1,100}$/, "use a session's name or number")
  .meta({ description: "Name (`sessionId`) or integer `id` of the session", example: "s1" });

const SESSION_IN_PATH = z.object({ sessionId: sessionIdInPath });

function described<P extends Shape, Q extends Shape, B extends z.ZodType>(
  declared: Declaration<P, Q, B>,
  scope: Admission,
): Omit<Route, "serve"> {
  const { method, path, summary, response, params, query, body } = declared;
  return {
    method,
    path,
    summary,
    scope,
    response,
    contract: declared.contract ?? false,
    counted: declared.counted ?? true,
    params: params ?? NOTHING,
    query: query ?? NOTHING,
    body: body ?? null,
    bodyForm: declared.bodyForm ?? { form: "json", maxBytes: JSON_LIMIT },
    example: declared.example,
    envelope: declared.envelope ?? true,
    status: declared.status ?? 200,
    audited: declared.audited ?? false,
    inSession: false,
  };
}

function knownCaller({ caller }: Call): Caller {
  if (caller === null) throw new Error("a route with a scope was served without a caller");
  return caller;
}

async function parse<P extends Shape, Q extends Shape, B extends z.ZodType>(
  declared: Declaration<P, Q, B>,
  call: Call,
): Promise<Input<P, Q, B>> {
  const strict = declared.contract !== true;
  if (strict) refuseUnknown(call.query, declared.query ?? NOTHING, "query");
  const params = check(orNothing(declared.params), call.params, "path");
  const query = check(orNothing(declared.query), call.query, "query");
  if (declared.method === "get" || declared.bodyForm?.form === "stream")
    return { params, query, body: check(orNothing<z.ZodType>(undefined), {}) as z.output<B>, call };
  const raw = await call.readBody();
  if (strict) refuseUnknown(raw, declared.body ?? NOTHING);
  return { params, query, body: check(orNothing(declared.body), raw), call };
}

/** A schema left out is the type parameter's default, which the compiler cannot see from here. */
const orNothing = <S extends z.ZodType>(schema: S | undefined): S => schema ?? (NOTHING as z.ZodType as S);

function check<S extends z.ZodType>(schema: S, value: unknown, where = ""): z.output<S> {
  const result = schema.safeParse(value);
  if (!result.success) throw invalidBySchema(result.error, where);
  return result.data;
}

/** Beyond the contract a field we do not know is a mistake of the caller, better told than ignored. */
function refuseUnknown(value: object, schema: z.ZodType, where = ""): void {
  if (!(schema instanceof z.ZodObject)) return; // unions and pipes say themselves what they take
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(schema.shape, name));
  if (unknown.length === 0) return;
  const prefix = where === "" ? "" : `${where}.`;
  throw invalid(
    unknown.slice(0, 20).map((name) => ({ path: prefix + name.slice(0, 100), problem: "unknown field" })),
  );
}
