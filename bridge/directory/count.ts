/** A count as directories write it, a number or its digits; nothing else is one: `null` and blank text are no 0. */
import { z } from "zod";

export const count = z
  .union([
    z.number(),
    z
      .string()
      .trim()
      .regex(/^\d{1,15}$/)
      .transform(Number),
  ])
  .pipe(z.number().int().min(0));
