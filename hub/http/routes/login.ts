/** People come in, stay in and go out. Everything here is secret: passwords and tokens are neither logged nor cached. */
import { z } from "zod";
import { userSchema } from "../../contract/administration.ts";
import { HubError } from "../../core/errors.ts";
import { ok, secret, type Answer } from "../answer.ts";
import { bearerOf, callerOfUser, missingToken, type Caller } from "../auth.ts";
import { openRoute, route, type Route } from "../route.ts";
import type { SignedIn } from "../sign-in.ts";
import { newPassword, presentUser } from "../user-answers.ts";

const signedInSchema = z.object({
  user: userSchema,
  accessToken: z.string().describe("For the header `Authorization: Bearer …`"),
  refreshToken: z.string().describe("Good for a week, and once: using it gives the next"),
  expiresIn: z.int().describe("Seconds of the access token"),
});

const answerOf = ({ user, accessToken, refreshToken, expiresIn }: SignedIn): Answer =>
  secret(ok({ user: presentUser(user), accessToken, refreshToken, expiresIn }));

const passwordTyped = z.string().min(1).max(1000);
const refreshTokenTyped = z.string().min(1).max(200);

function personOf({ person }: Caller): NonNullable<Caller["person"]> {
  if (person === null) throw new Error("a route for people was served to a key");
  return person;
}

export const loginRoutes: Route[] = [
  openRoute({
    method: "post",
    path: "/api/auth/login",
    summary: "Logs a user in",
    scope: "open",
    audited: true,
    body: z.object({ identifier: z.string().min(1).max(200), password: passwordTyped }),
    example: { identifier: "ana", password: "correct horse battery" },
    response: signedInSchema,
    handle: async ({ body, call }, { signIn, origins }) => {
      const signedIn = await signIn.login({ ...body, address: origins.addressOf(call.request) });
      call.by(callerOfUser(signedIn));
      return answerOf(signedIn);
    },
  }),
  openRoute({
    method: "post",
    path: "/api/auth/refresh-token",
    summary: "New tokens for a refresh token; one that comes a second time ends the login",
    scope: "open",
    body: z.object({ refreshToken: refreshTokenTyped }),
    response: signedInSchema,
    handle: async ({ body }, { signIn }) => answerOf(await signIn.refresh(body.refreshToken)),
  }),
  openRoute({
    method: "post",
    path: "/api/auth/logout",
    summary: "Ends a login at once, by its access token or its refresh token",
    scope: "open",
    audited: true,
    body: z.object({ refreshToken: refreshTokenTyped.optional() }),
    response: z.object({ loggedOut: z.literal(true) }),
    handle: async ({ body: { refreshToken }, call }, { signIn }) => {
      const accessToken = bearerOf(call.request);
      if (refreshToken === undefined && accessToken === null) throw missingToken();
      const user = await signIn.logout(
        refreshToken === undefined ? { accessToken: accessToken ?? "" } : { refreshToken },
      );
      if (user !== null) call.by(callerOfUser({ user, signInId: "" }));
      return ok({ loggedOut: true });
    },
  }),
  route({
    method: "get",
    path: "/api/auth/profile",
    summary: "Who is logged in, and what they may do",
    scope: "person",
    response: z.object({ user: userSchema }),
    handle: ({ caller }) => ok({ user: presentUser(personOf(caller).user) }),
  }),
  route({
    method: "post",
    path: "/api/auth/change-password",
    summary: "A new password for the one who is logged in; all other logins of theirs end",
    scope: "person",
    audited: true,
    body: z.object({ currentPassword: passwordTyped, newPassword }),
    response: z.object({ changed: z.literal(true) }),
    handle: async ({ body, caller, call }, { signIn, store, origins }) => {
      const { user, signInId } = personOf(caller);
      await signIn.confirm(user, body.currentPassword, origins.addressOf(call.request));
      const password = await signIn.passwords.hash(body.newPassword);
      // The work took a moment, in which the user may have been changed, or have gone.
      const now = await store.users.get(user.id);
      if (now === null) throw new HubError("NOT_FOUND", "There is no such user.");
      const entry = call.audited(user.id);
      await store.users.save({ ...now, password }, { ends: { except: signInId }, entry });
      return secret(ok({ changed: true }));
    },
  }),
];
