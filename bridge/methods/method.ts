/** A method that callers may run by its dotted name: one declaration of who may, with which arguments, and what it does. */
import { z } from "zod";
import { BridgeError } from "../errors.ts";
import { FLAG_ADVICE, flagNamed, isNoFlag } from "../flag.ts";

/** Who asks, and what makes a repeat of this very call recognisable. */
export interface Call {
  caller: string;
  /** The call's `Idempotency-Key`. */
  idempotencyKey: string | null;
  /** Whether the caller hung up meanwhile; left out where nobody can. */
  hasLeft?: () => boolean;
}

export interface Method {
  /** After the app's name: `api.sync.get_sync_status`. */
  name: string;
  /** Whose key it takes. */
  role: "read" | "admin";
  /** It only looks: it may be called by GET. */
  isSafe: boolean;
  /** @throws BridgeError `VALIDATION_ERROR` when the arguments are not what the method takes */
  run(given: Record<string, unknown>, call: Call): Promise<Record<string, unknown>>;
}

/** Frappe's callers send text, JSON or form fields alike: arguments are coerced, unknown ones are ignored. */
export function method<Shape extends z.ZodRawShape>({
  name,
  role,
  isSafe = role === "read",
  args,
  run,
}: {
  name: string;
  role: Method["role"];
  isSafe?: boolean;
  args: Shape;
  run: (args: z.infer<z.ZodObject<Shape>>, call: Call) => Promise<Record<string, unknown>>;
}): Method {
  const schema = z.object(args);
  const alias = aliasIn(args);
  return {
    name,
    role,
    isSafe,
    run: async (given, call) => {
      const filled = withAlias(withoutEmpty(given), alias);
      const parsed = schema.safeParse(filled);
      if (!parsed.success)
        throw new BridgeError(
          "VALIDATION_ERROR",
          parsed.error.issues.map((issue) => problemOf(issue, filled)).join("; "),
        );
      return run(parsed.data, call);
    },
  };
}

/** A form field left empty counts as not given. */
const withoutEmpty = (given: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== "" && value !== null));

/** The two words by which callers name a session. */
const SESSION_WORDS = ["session_id", "session_name"] as const;

/** Where a method takes one of them, the other one may stand for it. */
function aliasIn(args: z.ZodRawShape): { own: string; other: string } | null {
  const [own, second] = SESSION_WORDS.filter((name) => name in args);
  const other = SESSION_WORDS.find((name) => name !== own);
  return own === undefined || second !== undefined || other === undefined ? null : { own, other };
}

const withAlias = (
  given: Record<string, unknown>,
  alias: ReturnType<typeof aliasIn>,
): Record<string, unknown> =>
  alias === null || alias.own in given || !(alias.other in given)
    ? given
    : { ...given, [alias.own]: given[alias.other] };

function problemOf({ path, message }: z.core.$ZodIssue, given: Record<string, unknown>): string {
  const [name = ""] = path.map(String);
  return name in given ? `${path.join(".")}: ${message}` : `${name}: is missing`;
}

/** Text, or a number as text: session ids come as either. */
export const word = z
  .union([z.string(), z.number()], "give it as text")
  .transform(String)
  .refine((text) => text.length <= 300, "is too long");

/** 1, 0, true, false, as themselves or as text; `otherwise` where none is given. */
export const flagArgument = (otherwise: boolean) =>
  z
    .unknown()
    .optional()
    .transform((value) => (isNoFlag(value) ? otherwise : flagNamed(value)))
    .pipe(z.boolean(FLAG_ADVICE));

export const secondsArgument = (max: number) =>
  z.coerce
    .number("use a number of seconds")
    .min(0)
    .transform((value) => Math.min(value, max));
