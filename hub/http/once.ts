/** `Idempotency-Key` on anything that changes something: the first answer is kept and given again. */
import type { Request } from "express";
import { HubError } from "../core/errors.ts";
import { again, storedText, type Answer } from "./answer.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import { invalid } from "./errors.ts";
import type { Call, Route } from "./route.ts";
import { withoutPasswords } from "./without-passwords.ts";

interface Repeatable {
  route: Route;
  request: Request;
  caller: Caller | null;
  params: Record<string, string>;
  query: Record<string, string>;
  readBody: Call["readBody"];
}

function keyOf(request: Request): string | null {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return null;
  if (typeof key !== "string" || !/^[\x20-\x7e]{1,128}$/.test(key))
    throw invalid([{ path: "Idempotency-Key", problem: "use 1 to 128 printable ASCII characters" }]);
  return key;
}

export function onceFor(
  { route, request, caller, params, query, readBody }: Repeatable,
  { idempotency, sending }: Pick<HttpContext, "idempotency" | "sending">,
): Call["once"] {
  return async (place, work) => {
    const key = route.method === "get" || caller === null ? null : keyOf(request);
    if (key === null || caller === null) return work(undefined);
    // The session by its name, so that its number in the path is the same place.
    const ids = Object.entries(params).map(([name, value]) =>
      name === "sessionId" && place ? place : value,
    );
    let first: Answer | undefined;
    const kept = await idempotency.once(
      {
        owner: caller.key.id,
        route: [route.method, route.path, ...ids].join(" "),
        key,
        requestBody: JSON.stringify(withoutPasswords([query, await bodyIdentity(route, request, readBody)])),
      },
      // The WhatsApp id is kept with the key before anything is sent: after a crash a repeat finds the first send by it.
      place === "" ? "" : sending.reserveId(place),
      async (reservedId) => {
        first = await work(reservedId === "" ? undefined : reservedId);
        return { status: first.status, body: storedText(first) };
      },
    );
    if (kept.replayed) return again(kept.status, kept.body);
    // A refusal that came after the message left is kept as well: there is no answer of ours then, only its text.
    return first ?? again(kept.status, kept.body);
  };
}

/** A stream cannot be read twice: its announced size and type stand for it. */
async function bodyIdentity(
  route: Route,
  { headers }: Request,
  readBody: Call["readBody"],
): Promise<unknown> {
  if (route.bodyForm.form === "json") return readBody();
  if (headers["content-length"] === undefined)
    throw new HubError("VALIDATION_ERROR", "An upload with an Idempotency-Key needs a Content-Length.");
  return [headers["content-length"], headers["content-type"] ?? ""];
}
