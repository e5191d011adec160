/** OpenAPI 3.1, made from the same table of routes that answers requests. */
import { OpenApiGeneratorV31, OpenAPIRegistry, type RouteConfig } from "@asteasolutions/zod-to-openapi";
import { z } from "zod";
import { ERROR_CODES } from "../contract/errors.ts";
import type { Admission, Route } from "./route.ts";

const failureSchema = z
  .object({
    success: z.literal(false),
    error: z.string(),
    message: z.string().describe("The same text"),
    code: z.enum(ERROR_CODES),
    timestamp: z.iso.datetime(),
    details: z.looseObject({}).optional(),
  })
  .meta({
    id: "Failure",
    example: {
      success: false,
      error: "There is no such session.",
      message: "There is no such session.",
      code: "SESSION_NOT_FOUND",
      timestamp: "2026-01-31T10:00:00.000Z",
    },
  });

const failure = (description: string) => ({
  description,
  content: { "application/json": { schema: failureSchema } },
});

const ADMISSION: Record<Admission, string> = {
  open: "No key needed.",
  person: "An access token, of any user.",
  "local or read": "A key with the scope `read`, or a call from this machine.",
  read: "Scope `read`.",
  send: "Scope `send`.",
  media: "Scope `media`.",
  webhooks: "Scope `webhooks`.",
  admin: "Scope `admin`.",
};

/** `/api/messages/{sessionId}/chats` → `messages`; what is not below `/api` belongs to the hub itself. */
const tagOf = (path: string): string => /^\/api\/([a-z]+)/.exec(path)?.[1] ?? "hub";

function bodyOf({ body, bodyForm, example }: Route): Pick<NonNullable<RouteConfig["request"]>, "body"> {
  if (bodyForm.form === "stream")
    return {
      body: {
        description: "The bytes of the file, or a form with the field `file`",
        content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
      },
    };
  if (body === null) return {};
  const shown = example === undefined ? {} : { example };
  return { body: { content: { "application/json": { schema: body, ...shown } } } };
}

function answerOf({ response, envelope }: Route) {
  if (response === "bytes")
    return {
      description: "The bytes",
      content: { "application/octet-stream": { schema: { type: "string" as const, format: "binary" } } },
    };
  const schema = envelope
    ? z.object({ success: z.literal(true), data: response, message: z.string().optional() })
    : response;
  return { description: "Success", content: { "application/json": { schema } } };
}

/** A key decides alone; without one a person's token does. */
function securityOf(scope: Admission): Record<string, string[]>[] {
  if (scope === "open") return [];
  return scope === "person" ? [{ token: [] }] : [{ apiKey: [] }, { token: [] }];
}

function operationOf(route: Route): RouteConfig {
  const { method, path, summary, scope, params, query, contract } = route;
  const keyed = scope !== "open";
  return {
    method,
    path,
    summary,
    description:
      ADMISSION[scope] + (contract ? " Unknown fields are ignored." : " Unknown fields are refused."),
    operationId: `${method}${path.replace(/[{}]/g, "").replace(/[/.-]+(\w?)/g, (_all, next: string) => next.toUpperCase())}`,
    tags: [tagOf(path)],
    security: securityOf(scope),
    request: { params, query, ...bodyOf(route) },
    responses: {
      [route.status]: answerOf(route),
      400: failure("A field is wrong; `details.fields` says which and why"),
      ...(keyed
        ? {
            401: failure("No key and no token, or not a valid one"),
            403: failure("The key or the user lacks the scope"),
          }
        : {}),
      ...(path.includes("{") ? { 404: failure("Unknown, or outside the key's sessions") } : {}),
      ...(route.counted ? { 429: failure("Too many calls; `Retry-After` says when to repeat") } : {}),
    },
  };
}

export function describeRoutes(routes: Route[], version: string) {
  const registry = new OpenAPIRegistry();
  registry.registerComponent("securitySchemes", "apiKey", {
    type: "apiKey",
    in: "header",
    name: "X-API-Key",
  });
  registry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "`accessToken` of `POST /api/auth/login`",
  });
  for (const route of routes) registry.registerPath(operationOf(route));
  return new OpenApiGeneratorV31(registry.definitions, { sortComponents: "alphabetically" }).generateDocument(
    {
      openapi: "3.1.0",
      info: {
        title: "Inbox Hub",
        version,
        description:
          "WhatsApp accounts over REST: sessions, contacts, chats, messages, media, webhooks. Every answer carries X-Request-Id.",
        license: { name: "MIT", identifier: "MIT" },
      },
      tags: [...new Set(routes.map(({ path }) => tagOf(path)))].map((name) => ({ name })),
    },
  );
}
