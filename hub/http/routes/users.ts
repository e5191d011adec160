/** People who may log in. A password is shown once, and only when the hub made it. */
import { z } from "zod";
import { scopeSchema, userSchema } from "../../contract/administration.ts";
import { HubError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { User } from "../../core/user.ts";
import { created, listOf, ok, secret } from "../answer.ts";
import { given } from "../given.ts";
import { reachUser, refuseMorePowerfulUser, visibleUsers } from "../key-rules.ts";
import { paging } from "../paging.ts";
import { randomText } from "../random-text.ts";
import { route, type Route } from "../route.ts";
import { slice } from "../slice.ts";
import { identifierSchema, newPassword, presentUser } from "../user-answers.ts";
import { listOfSchema } from "./list-of.ts";
import { inUser, sessionNames } from "./params.ts";

const userFields = z.object({
  identifier: identifierSchema,
  scopes: z.array(scopeSchema).min(1).max(5),
  sessions: sessionNames,
});

const shownOnce = userSchema.extend({
  password: z.string().optional().describe("Made by the hub, and shown only now"),
});

const MADE_PASSWORD = 20;

const taken = (): HubError => new HubError("STATE_CONFLICT", "Another user has this identifier.");

export const userRoutes: Route[] = [
  route({
    method: "get",
    path: "/api/users",
    summary: "People who may log in",
    scope: "admin",
    query: z.object(paging()),
    response: listOfSchema("users", userSchema),
    handle: async ({ caller, query }, ctx) =>
      listOf("users", slice(await visibleUsers(caller, ctx), query), query, presentUser),
  }),
  route({
    method: "post",
    path: "/api/users",
    summary: "Makes a user; without a password the hub makes one and shows it once",
    scope: "admin",
    body: userFields.extend({ password: newPassword.optional() }),
    example: { identifier: "ana", scopes: ["read", "send", "media"], sessions: ["s1"] },
    response: shownOnce,
    status: 201,
    handle: async ({ body, caller, call }, { store, signIn, clock }) => {
      const { password, ...fields } = body;
      refuseMorePowerfulUser(caller, fields);
      const made = password === undefined ? randomText(MADE_PASSWORD) : null;
      const user: User = {
        ...fields,
        id: newId("usr", clock.now()),
        password: await signIn.passwords.hash(password ?? made ?? ""),
        createdAt: clock.now(),
        disabledAt: null,
      };
      if (!(await store.users.save(user, { entry: call.audited(user.id) }))) throw taken();
      return secret(created({ ...presentUser(user), ...(made === null ? {} : { password: made }) }));
    },
  }),
  route({
    method: "put",
    path: "/api/users/{userId}",
    summary:
      "Changes some of a user's fields; a new password (given, or made with `makePassword` and shown once) ends all logins of the user, and so does `disabled`",
    scope: "admin",
    params: inUser,
    body: userFields
      .extend({ password: newPassword, makePassword: z.literal(true), disabled: z.boolean() })
      .partial()
      .refine((body) => body.password === undefined || body.makePassword === undefined, {
        path: ["makePassword"],
        error: "leave it out beside a password",
      }),
    response: shownOnce,
    handle: async ({ params, body, caller, call }, ctx) => {
      const { users } = ctx.store;
      await reachUser(params.userId, caller, ctx);
      const { makePassword, disabled, ...others } = given(body);
      const made = makePassword === true ? randomText(MADE_PASSWORD) : undefined;
      const { password = made, ...fields } = others;
      const hash = password === undefined ? {} : { password: await ctx.signIn.passwords.hash(password) };
      const before = await reachUser(params.userId, caller, ctx);
      const disabledAt = disabled === true ? (before.disabledAt ?? ctx.clock.now()) : null;
      const after: User = {
        ...before,
        ...fields,
        ...hash,
        ...(disabled === undefined ? {} : { disabledAt }),
      };
      refuseMorePowerfulUser(caller, after);
      const ends = password !== undefined || disabled === true ? "all" : "none";
      if (!(await users.save(after, { ends, entry: call.audited(after.id) }))) throw taken();
      return secret(ok({ ...presentUser(after), ...(made === undefined ? {} : { password: made }) }));
    },
  }),
  route({
    method: "delete",
    path: "/api/users/{userId}",
    summary: "Removes a user, whose logins end at once",
    scope: "admin",
    params: inUser,
    response: z.object({ deleted: z.literal(true) }),
    handle: async ({ params, caller, call }, ctx) => {
      const { id } = await reachUser(params.userId, caller, ctx);
      await ctx.store.users.remove(id, call.audited(id));
      return ok({ deleted: true });
    },
  }),
];
