/** Kinds of values a setting may have: text of the environment in, the value out, or what to write instead. */
import { z } from "zod";
import { isCron } from "./cron.ts";
import { FLAG_ADVICE, flagNamed } from "./flag.ts";

export const flag = z.string().transform(flagNamed).pipe(z.boolean(FLAG_ADVICE));

export const whole = (min: number, max: number) => {
  const problem = `use a whole number, ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, problem)
    .transform(Number)
    .refine((value) => value >= min && value <= max, problem);
};

/** 0 to 23, or `off`. */
export const hour = z
  .string()
  .regex(/^([01]?\d|2[0-3]|off)$/, "use an hour, 0 to 23, or off")
  .transform((text) => (text === "off" ? null : Number(text)));

export const port = z
  .string()
  .regex(/^\d{1,5}$/, "use a port number, 0 to 65535")
  .transform(Number)
  .refine((value) => value <= 65_535, "use a port number, 0 to 65535");

/** Without a trailing slash, because paths are added to it. */
export const httpUrl = z
  .string()
  .refine(
    (text) => URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol),
    "use an http(s) URL",
  )
  .transform((text) => text.replace(/\/+$/, ""));

/** The hub calls no address with a user name or password. */
export const publicUrl = httpUrl.refine((text) => {
  const { username, password } = new URL(text);
  return username === "" && password === "";
}, "leave out user name and password");

export const list = z.string().transform((text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean),
);

/** Five fields of cron, or `off`. */
export const cron = z
  .string()
  .transform((text) => text.trim())
  .refine(
    (text) => text === "off" || (text.split(/\s+/).length === 5 && isCron(text)),
    'use five fields of cron, such as "0 * * * *", or off',
  )
  .transform((text) => (text === "off" ? null : text));

export const timeZone = z.string().refine((text) => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).format(0) !== "";
  } catch {
    return false; // how Intl says that it does not know the name
  }
}, "use the name of a time zone, such as Europe/Madrid");

export const jsonObject = z.string().transform((text, context): Record<string, unknown> => {
  const value = parsed(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  context.addIssue({ code: "custom", message: "use a JSON object" });
  return z.NEVER;
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says what is wanted; the parser's message would quote the value
  }
}

/** A setting's mistake in plain words, where the setting has none of its own: those of the library are for programmers. */
export function plainProblem({ code, ...issue }: z.core.$ZodRawIssue): string {
  if (code === "invalid_type" && issue.input === undefined) return "is needed";
  if (code === "unrecognized_keys") return `has no member ${(issue["keys"] as string[]).join(", ")}`;
  if (code === "invalid_type") return `use ${KINDS[String(issue["expected"])] ?? "another kind of value"}`;
  if (code === "invalid_union") return "use a text, a number, true or false";
  if (code === "too_small") return `use ${String(issue["minimum"])} at least`;
  if (code === "too_big") return `use ${String(issue["maximum"])} at most`;
  return "is not what belongs here";
}

const KINDS: Record<string, string> = {
  string: "a text in quotes",
  number: "a number",
  int: "a whole number",
  object: "an object in braces",
  record: "an object in braces",
};
