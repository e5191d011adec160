/** People come in: by password, then by refresh tokens, each good once; and go out. */
import { doneBy } from "../core/audit.ts";
import type { Cipher } from "../core/cipher.ts";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { RefreshToken, Store } from "../core/store.ts";
import type { User } from "../core/user.ts";
import { ACCESS_TOKEN_SECONDS, createAccessTokens, invalidToken, openTokenSecret } from "./access-tokens.ts";
import { hashOf } from "./api-keys.ts";
import { createLoginLimits } from "./login-limits.ts";
import { createLoginPlaces } from "./login-places.ts";
import { createPasswords, type PasswordCost, type Passwords } from "./passwords.ts";
import { randomText } from "./random-text.ts";

const REFRESH_MS = 7 * 24 * 3_600_000;

/** What a person gets who came in. */
export interface SignedIn {
  user: User;
  signInId: string;
  accessToken: string;
  refreshToken: string;
  /** Seconds of the access token. */
  expiresIn: number;
}

export interface SignIn {
  /** @throws HubError `AUTHENTICATION_FAILED`, `RATE_LIMIT_EXCEEDED` */
  login(given: { identifier: string; password: string; address: string }): Promise<SignedIn>;
  /** @throws HubError `INVALID_TOKEN`; a token that was used before ends its sign-in */
  refresh(refreshToken: string): Promise<SignedIn>;
  /** Whose access token it is, now. @throws HubError `INVALID_TOKEN` */
  identify(accessToken: string): Promise<{ user: User; signInId: string }>;
  /** Whose sign-in ended; null when there was none any more. */
  logout(which: { accessToken: string } | { refreshToken: string }): Promise<User | null>;
  /** As `login`, for somebody who is in. @throws HubError `AUTHENTICATION_FAILED`, `RATE_LIMIT_EXCEEDED` */
  confirm(user: User, password: string, address: string): Promise<void>;
  passwords: Pick<Passwords, "hash">;
}

export async function createSignIn({
  store,
  cipher,
  clock,
  log,
  cost,
}: {
  store: Pick<Store, "users" | "audit" | "marks">;
  cipher: Cipher;
  clock: Clock;
  log: Log;
  cost?: PasswordCost;
}): Promise<SignIn> {
  const { users } = store;
  const tokens = createAccessTokens(await openTokenSecret({ users, cipher, log }));
  const passwords = createPasswords(cost);
  const limits = createLoginLimits();
  const places = createLoginPlaces(store.marks);

  const signedIn = (user: User, signInId: string, refreshToken: string): SignedIn => ({
    user,
    signInId,
    accessToken: tokens.issue({ userId: user.id, signInId }, clock.now()),
    refreshToken,
    expiresIn: ACCESS_TOKEN_SECONDS,
  });

  const checked = async (account: string, user: User | null, password: string, address: string) => {
    const who = { address, account, isKnown: await places.isKnown(user?.id ?? "", address) };
    limits.count(who, clock.now());
    const isRight = await passwords.matches(password, user?.password ?? null);
    if (user === null || !isRight || user.disabledAt !== null)
      throw new HubError("AUTHENTICATION_FAILED", "The identifier or the password is wrong.");
    limits.succeeded(who);
    await places.remember(user.id, address, clock.now());
    return user;
  };

  return {
    passwords,
    login: async ({ identifier, password, address }) => {
      const account = identifierOf(identifier);
      const user = await checked(account, await users.byIdentifier(account), password, address);
      const { text, token } = newRefreshToken(clock.now());
      const signInId = newId("sgn", clock.now());
      await users.beginSignIn({ id: signInId, userId: user.id }, token, clock.now());
      log.info({ userId: user.id, signInId }, "auth.logged_in");
      return signedIn(user, signInId, text);
    },
    refresh: async (refreshToken) => {
      const { text, token } = newRefreshToken(clock.now());
      const renewal = await users.renewSignIn(hashOf(refreshToken), token, clock.now());
      if (renewal.result === "renewed") return signedIn(renewal.user, renewal.signInId, text);
      if (renewal.result === "reused") {
        const { userId } = renewal;
        log.warn({ userId }, "auth.refresh_token_reused");
        await store.audit.append(doneBy("hub", "auth.refresh_token_reused", clock.now(), { target: userId }));
      }
      throw invalidToken();
    },
    identify: async (accessToken) => {
      const { userId, signInId } = tokens.read(accessToken, clock.now());
      const user = await users.userOfSignIn(signInId, clock.now());
      if (user?.id !== userId) throw invalidToken();
      return { user, signInId };
    },
    logout: async (which) =>
      users.endSignIn(
        "refreshToken" in which
          ? { tokenHash: hashOf(which.refreshToken) }
          : { id: tokens.read(which.accessToken, clock.now()).signInId },
      ),
    confirm: async (user, password, address) => {
      await checked(user.identifier, user, password, address);
    },
  };
}

/** As it is kept and looked for, however it is typed. */
export const identifierOf = (typed: string): string => typed.trim().toLowerCase();

function newRefreshToken(now: Date): { text: string; token: RefreshToken } {
  const text = `ihr_${randomText(43)}`;
  return { text, token: { hash: hashOf(text), expiresAt: new Date(now.getTime() + REFRESH_MS) } };
}
