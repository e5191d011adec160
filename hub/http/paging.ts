/** Paging as the contract reads it: numbers out of range are brought into range, never refused. */
import { z } from "zod";

const MAX_LIMIT = 1000;
/** Deep pages cost as much as all pages before them; cursors are for those. */
const MAX_PAGE = 1_000_000;

interface Range {
  min: number;
  max: number;
  fallback: number;
}

export function clampNumber(given: number | string, { min, max, fallback }: Range): number {
  const number = typeof given === "string" && given.trim() === "" ? NaN : Number(given);
  return Number.isNaN(number) ? fallback : Math.min(max, Math.max(min, number));
}

/** A whole number of a query, brought into its range. */
export const clampedNumber = ({ min, max, fallback }: Range) =>
  z
    .string()
    .optional()
    .transform((text) => Math.trunc(clampNumber(text ?? "", { min, max, fallback })))
    .meta({ type: "integer", minimum: min, maximum: max, default: fallback });

export const paging = (defaultLimit = 50) => ({
  page: clampedNumber({ min: 1, max: MAX_PAGE, fallback: 1 }),
  limit: clampedNumber({ min: 1, max: MAX_LIMIT, fallback: defaultLimit }),
  cursor: z.string().max(200).optional(),
});

/** `true`, `1`, `yes` and their opposites. */
export const flag = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(["true", "1", "yes", "false", "0", "no"], "use true or false"))
  .transform((text) => ["true", "1", "yes"].includes(text))
  .optional()
  .meta({ type: "boolean" });

/** A moment as ISO 8601 or Unix seconds → Unix milliseconds. */
export const moment = z
  .union([z.string(), z.number().transform(String)])
  .transform((text) => (/^\d{1,12}(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text)))
  .refine((ms) => Number.isFinite(ms), "use an ISO 8601 time or Unix seconds")
  .optional()
  .meta({ type: "string", description: "ISO 8601 or Unix seconds" });

/** Milliseconds of a moment → the Unix seconds that messages are stored with. */
export const secondsOf = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.floor(ms / 1000);
