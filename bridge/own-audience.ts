/**
 * Whose events the bridge's own endpoint hears. The hub writes down what the bridge's key sees when the endpoint is made, and no
 * more after: a key that is given other sessions, or another key, leaves the endpoint with those of then.
 */
import { z } from "zod";
import { HubUnavailable } from "./errors.ts";
import { parsed } from "./hub-answers.ts";
import { at, MOST_ROWS, type Ask } from "./hub-request.ts";
import { isForKey, type ShownEndpoint } from "./own-endpoint.ts";

const sessionsSchema = z.object({ sessions: z.array(z.object({ sessionId: z.string() })) });

/** `whole`: it hears what the key sees already, or is not the bridge's to change. */
type Audience = "whole" | "widened" | "refused";

export async function widen(own: ShownEndpoint, ask: Ask): Promise<Audience> {
  const { id, sessions: heard } = own;
  if (heard === "*" || !isForKey(own)) return "whole";
  // No more than an endpoint can name.
  const query = { limit: MOST_ROWS };
  const listed = await ask({ name: "sessions", method: "GET", path: at("sessions"), query });
  const seen = parsed("sessions", sessionsSchema, listed).sessions.map(({ sessionId }) => sessionId);
  if (seen.every((sessionId) => heard.includes(sessionId))) return "whole";
  const hears = async (sessions: "*" | string[]): Promise<boolean> =>
    ask({ name: "subscribe", method: "PUT", path: at("endpoints", id), body: { sessions } }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof HubUnavailable && REFUSALS.includes(error.code ?? "")) return false;
        throw error;
      },
    );
  // A key that sees everything sees sessions that are yet to come; one that does not is refused this.
  return (await hears("*")) || (await hears(seen)) ? "widened" : "refused";
}

/** The key may not say so; or a session went meanwhile. */
const REFUSALS = ["AUTHORIZATION_FAILED", "VALIDATION_ERROR"];
