/** Kinds of settings: each is taken by the very rules of the part that will use it, so that nothing is refused only later. */
import { isIP } from "node:net";
import { z } from "zod";
import { secretProblem } from "./contract/signature.ts";
import { isAddressRange } from "./core/address-ranges.ts";
import { createAddressGuard } from "./core/webhook-address.ts";
import { urlTextProblems } from "./outbox/endpoint-rules.ts";
import { parseMasterKey } from "./sessions/master-key.ts";

/** Media URLs must fit into receivers' columns of 140 characters. */
const MAX_PUBLIC_URL = 100;

const isUrlOf = (text: string, protocols: string[]): boolean =>
  URL.canParse(text) && protocols.includes(new URL(text).protocol);

export const url = (protocols: string[], problem: string) =>
  z.string().refine((text) => isUrlOf(text, protocols), problem);

/** A whole number as text. */
export const count = (max: number, least: number) =>
  z
    .string()
    .regex(/^\d{1,7}$/, `use a number, ${least} to ${max}`)
    .transform(Number)
    .refine((number) => number >= least && number <= max, `use a number, ${least} to ${max}`);

export const host = z
  .string()
  .refine(
    (text) => isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text),
    "use an IP address or the name of a host, such as 127.0.0.1",
  );

/** What cannot stand in a header could never be sent. */
export const apiKey = z
  .string()
  .min(32, "use at least 32 characters")
  .max(200, "use at most 200 characters")
  .regex(/^[\x21-\x7e]*$/, "use letters, digits and signs of ASCII, without spaces");

export const masterKey = z.string().refine((text) => {
  try {
    return parseMasterKey(text).length > 0;
  } catch {
    return false; // it says the same as we do
  }
}, "use 32 bytes, as 64 hex digits or as base64");

/** Without a trailing slash; what is appended to it must end up in its path. */
export const publicUrl = z
  .string()
  .refine((text) => isUrlOf(text, ["http:", "https:"]), { error: "use an http(s) URL", abort: true })
  .refine((text) => !/[?#]/.test(text), "leave out everything from ? or # on")
  .refine(
    (text) => new URL(text).username === "" && new URL(text).password === "",
    "leave out user name and password",
  )
  .transform((text) => `${new URL(text).origin}${new URL(text).pathname}`.replace(/\/+$/, ""))
  .refine((text) => text.length <= MAX_PUBLIC_URL, `use at most ${MAX_PUBLIC_URL} characters`);

/** The operator's own: it may lie in a private range, and still not be an address that nothing may call. */
export const webhookUrl = z.string().superRefine((text, ctx) => {
  const problems = isUrlOf(text, ["http:", "https:"])
    ? urlTextProblems(text, createAddressGuard({ allowCidrs: [], allowedUrls: [text] }))
    : [{ problem: "use an http(s) URL" }];
  for (const { problem } of problems) ctx.addIssue({ code: "custom", message: problem });
});

export const webhookSecret = z.string().superRefine((text, ctx) => {
  const problem = secretProblem(text);
  if (problem !== null) ctx.addIssue({ code: "custom", message: problem });
});

export const addressRanges = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean),
  )
  .refine(
    (parts) => parts.every(isAddressRange),
    "use address ranges such as 10.0.0.0/8, separated by commas",
  );
