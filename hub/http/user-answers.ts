/** Users as answers, and what may be said of them. Nothing of a password is ever shown but one that the hub made, once. */
import { z } from "zod";
import type { User } from "../core/user.ts";
import { identifierOf } from "./sign-in.ts";

export function presentUser({ id, identifier, scopes, sessions, createdAt, disabledAt }: User) {
  const times = { createdAt: createdAt.toISOString(), disabledAt: disabledAt?.toISOString() ?? null };
  return { id, identifier, scopes, sessions, ...times };
}

const LEAST = 12;
const MOST = 200;
const passwordProblem = `use ${LEAST} to ${MOST} characters`;

/** Long enough that guessing is hopeless; a rule about kinds of letters would only make people write it down. */
export const newPassword = z.string().min(LEAST, passwordProblem).max(MOST, passwordProblem);

/** A name or an e-mail address. Without a letter it might be somebody's phone number, which no log is to hold. */
export const identifierSchema = z
  .string()
  .transform(identifierOf)
  .pipe(
    z
      .string()
      .regex(
        /^(?=.*[a-z])[a-z0-9][a-z0-9._@+-]{1,99}$/,
        "use 2 to 100 letters, digits and . _ @ + -, with a letter among them",
      ),
  )
  .meta({ type: "string", minLength: 2, maxLength: 100, example: "ana" });
