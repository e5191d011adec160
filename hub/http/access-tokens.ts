/**
 * Access tokens: signed by one algorithm, for this API alone, good for a quarter of an hour. One names a user and a sign-in and
 * nothing else: what the user may do is looked up at each call, so that a change of it counts at once.
 */
import { createSecretKey, randomBytes } from "node:crypto";
import jwt from "jsonwebtoken";
import { z } from "zod";
import type { Cipher } from "../core/cipher.ts";
import { HubError } from "../core/errors.ts";
import { newToken } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { UserStore } from "../core/store.ts";

export const ACCESS_TOKEN_SECONDS = 15 * 60;
const ISSUER = "inbox-hub";
const AUDIENCE = "hub-api";
const ALGORITHM = "HS256";
/** Tells it from other things that might be signed with the same secret. */
const TYPE = "at+jwt";
/** Ours are a third of that. */
const LONGEST = 1_000;
const SECRET_BYTES = 32;
const SECRET_PLACE = "token_secret";

/** Exactly what is written below: a header that names keys, or a claim more, was written by somebody else. */
const tokenSchema = z.object({
  header: z.strictObject({ alg: z.literal(ALGORITHM), typ: z.literal(TYPE) }),
  payload: z
    .strictObject({
      iss: z.literal(ISSUER),
      aud: z.literal(AUDIENCE),
      sub: z.string().regex(/^usr_[0-9A-Z]{26}$/),
      sid: z.string().regex(/^sgn_[0-9A-Z]{26}$/),
      jti: z.string().min(1),
      iat: z.int(),
      exp: z.int(),
    })
    .refine(({ iat, exp }) => exp - iat <= ACCESS_TOKEN_SECONDS),
});

export interface AccessTokens {
  issue(who: { userId: string; signInId: string }, now: Date): string;
  /** @throws HubError `INVALID_TOKEN` */
  read(token: string, now: Date): { userId: string; signInId: string };
}

export function createAccessTokens(secret: Uint8Array): AccessTokens {
  if (secret.length < SECRET_BYTES) throw new Error(`a token secret has ${SECRET_BYTES} bytes at least`);
  const key = createSecretKey(secret);
  return {
    issue: ({ userId, signInId }, now) => {
      const iat = secondsOf(now);
      return jwt.sign({ sid: signInId, iat, exp: iat + ACCESS_TOKEN_SECONDS }, key, {
        algorithm: ALGORITHM,
        header: { alg: ALGORITHM, typ: TYPE },
        issuer: ISSUER,
        audience: AUDIENCE,
        subject: userId,
        jwtid: newToken(),
      });
    },
    read: (token, now) => {
      if (token.startsWith("ihk_"))
        throw new HubError("INVALID_TOKEN", "This is an API key: send it as the header X-API-Key.");
      if (token.length > LONGEST) throw invalidToken();
      const parsed = tokenSchema.safeParse(verified(token, now));
      if (!parsed.success) throw invalidToken(parsed.error);
      const { sub, sid } = parsed.data.payload;
      return { userId: sub, signInId: sid };
    },
  };

  function verified(token: string, now: Date): unknown {
    try {
      return jwt.verify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        clockTimestamp: secondsOf(now),
        complete: true,
      });
    } catch (cause) {
      throw cause instanceof jwt.TokenExpiredError ? expiredToken(cause) : invalidToken(cause);
    }
  }
}

const secondsOf = (now: Date): number => Math.floor(now.getTime() / 1000);

export const invalidToken = (cause?: unknown): HubError =>
  new HubError("INVALID_TOKEN", "This token is not valid; log in again.", { cause });

const EXPIRED = { reason: "expired" };

/** Its time is over, as it is for each of them: no sign of anything wrong. */
export const isExpiry = (error: HubError): boolean => error.details === EXPIRED;

const expiredToken = (cause: unknown): HubError =>
  new HubError("INVALID_TOKEN", "This token has expired; use the refresh token.", {
    details: EXPIRED,
    cause,
  });

/** Made at the first start and kept sealed; one that cannot be opened is replaced, and people refresh their tokens. */
export async function openTokenSecret({
  users,
  cipher,
  log,
}: {
  users: Pick<UserStore, "tokenSecret" | "saveTokenSecret">;
  cipher: Cipher;
  log: Log;
}): Promise<Uint8Array> {
  const sealed = await users.tokenSecret();
  if (sealed !== null) {
    try {
      return cipher.open(SECRET_PLACE, sealed);
    } catch (err) {
      log.warn({ err }, "auth.token_secret_replaced");
    }
  }
  const secret = randomBytes(SECRET_BYTES);
  await users.saveTokenSecret(cipher.seal(SECRET_PLACE, secret));
  return secret;
}
