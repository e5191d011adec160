/** Whose events a new or changed endpoint may hear: only those of sessions its maker sees. */
import { HubError } from "../core/errors.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import { invalid } from "./errors.ts";
import { reachSession } from "./reach.ts";

export async function audienceOf(
  asked: "*" | string[] | undefined,
  caller: Caller,
  { sessions }: Pick<HttpContext, "sessions">,
): Promise<"*" | string[]> {
  const mine = caller.key.sessions;
  if (asked === undefined) return mine;
  if (asked === "*") {
    if (mine === "*") return "*";
    throw new HubError("AUTHORIZATION_FAILED", "This key sees some sessions only; name them.");
  }
  const names: string[] = [];
  for (const [index, name] of asked.entries()) {
    const session = await reachSession(name, caller, sessions).catch((error: unknown) => {
      if (!(error instanceof HubError)) throw error;
      throw invalid([{ path: `sessions.${index}`, problem: "there is no such session" }]);
    });
    names.push(session.sessionId);
  }
  return [...new Set(names)];
}
