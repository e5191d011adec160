/** Keys of the API. A key itself is shown once, when it is made or renewed. */
import { z } from "zod";
import { keySchema, scopeSchema } from "../../contract/administration.ts";
import { isAddressRange } from "../../core/address-ranges.ts";
import type { ApiKey } from "../../core/api-key.ts";
import { newId } from "../../core/ids.ts";
import { created, listOf, ok, secret } from "../answer.ts";
import { createKey, rotateKey } from "../api-keys.ts";
import { given } from "../given.ts";
import { reachKey, refuseMorePower, visibleKeys } from "../key-rules.ts";
import { keptSettings, keySettingsAsked, shownSettings } from "../key-settings.ts";
import { paging } from "../paging.ts";
import { route, type Route } from "../route.ts";
import { slice } from "../slice.ts";
import { listOfSchema } from "./list-of.ts";
import { inKey, sessionNames } from "./params.ts";

const keyFields = z.object({
  name: z.string().min(1).max(100),
  scopes: z.array(scopeSchema).min(1).max(5),
  sessions: sessionNames,
  allowedCidrs: z
    .array(z.string().refine(isAddressRange, "use an address range such as 203.0.113.0/24"))
    .max(50)
    .optional(),
  client: z.string().min(1).max(100).optional(),
  settings: keySettingsAsked.optional(),
  expiresAt: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .nullable()
    .optional(),
});

function presentKey(key: ApiKey) {
  const { id, name, scopes, sessions, allowedCidrs, client, expiresAt, createdAt } = key;
  const times = { expiresAt: expiresAt?.toISOString() ?? null, createdAt: createdAt.toISOString() };
  return {
    id,
    name,
    scopes,
    sessions,
    allowedCidrs,
    client,
    settings: shownSettings(key.settings),
    ...times,
  };
}

const shownOnce = keySchema.extend({ key: z.string().describe("Shown only now") });

export const keyRoutes: Route[] = [
  route({
    method: "get",
    path: "/api/keys",
    summary: "Keys, without their secrets",
    scope: "admin",
    query: z.object(paging()),
    response: listOfSchema("keys", keySchema),
    handle: async ({ caller, query }, ctx) =>
      listOf("keys", slice(await visibleKeys(caller, ctx), query), query, presentKey),
  }),
  route({
    method: "post",
    path: "/api/keys",
    summary: "Makes a key",
    scope: "admin",
    body: keyFields,
    example: { name: "CRM", scopes: ["read", "send", "media"], sessions: ["s1"] },
    response: shownOnce,
    status: 201,
    handle: async ({ body, caller, call }, ctx) => {
      const { store, clock } = ctx;
      refuseMorePower(caller, { ...body, allowedCidrs: body.allowedCidrs ?? [] });
      const id = newId("key", clock.now());
      const settings = await keptSettings(body.settings ?? {}, { keyId: id, before: null, caller }, ctx);
      const { row, key } = await createKey(
        { ...body, id, settings },
        { keys: store.keys, clock, audited: call.audited },
      );
      return secret(created({ ...presentKey(row), key }));
    },
  }),
  route({
    method: "put",
    path: "/api/keys/{keyId}",
    summary: "Changes some of a key's fields",
    scope: "admin",
    params: inKey,
    body: keyFields.partial(),
    response: keySchema,
    handle: async ({ params, body, caller, call }, ctx) => {
      const before = await reachKey(params.keyId, caller, ctx);
      const { settings = {}, ...fields } = given(body);
      const about = { keyId: before.id, before: before.settings, caller };
      const kept = await keptSettings(settings, about, ctx);
      const after: ApiKey = { ...before, ...fields, settings: { ...before.settings, ...kept } };
      refuseMorePower(caller, after);
      await ctx.store.keys.save(after, call.audited(after.id));
      return ok(presentKey(after));
    },
  }),
  route({
    method: "delete",
    path: "/api/keys/{keyId}",
    summary: "Revokes a key at once",
    scope: "admin",
    params: inKey,
    response: z.object({ deleted: z.literal(true) }),
    handle: async ({ params, caller, call }, ctx) => {
      const { id } = await reachKey(params.keyId, caller, ctx);
      await ctx.store.keys.remove(id, call.audited(id));
      return ok({ deleted: true });
    },
  }),
  route({
    method: "post",
    path: "/api/keys/{keyId}/rotate",
    summary: "A new secret for a key; the old one may be accepted for a while",
    scope: "admin",
    params: inKey,
    body: z.object({ graceSeconds: z.int().min(0).max(86_400).default(0) }),
    response: shownOnce,
    handle: async ({ params, body, caller, call }, ctx) => {
      const before = await reachKey(params.keyId, caller, ctx);
      const { row, key } = await rotateKey(before, body.graceSeconds, {
        keys: ctx.store.keys,
        clock: ctx.clock,
        audited: call.audited,
      });
      return secret(ok({ ...presentKey(row), key }));
    },
  }),
];
