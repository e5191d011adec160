/** The sessions a caller can name: what lies outside answers exactly like what does not exist. */
import { HubError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { authorOf, type Caller } from "./auth.ts";

const notFound = (): HubError => new HubError("SESSION_NOT_FOUND", "There is no such session.");

const isNotFound = (error: unknown): boolean =>
  error instanceof HubError && error.code === "SESSION_NOT_FOUND";

/** One text for every session that is not there, whoever found that out. */
const withOneText = (error: unknown): never => {
  throw isNotFound(error) ? notFound() : error;
};

/** @throws HubError `SESSION_NOT_FOUND`, the same for unknown and for foreign sessions */
export async function reachSession(
  idOrName: string,
  caller: Caller,
  sessions: Pick<Sessions, "get">,
): Promise<Session> {
  const session = await sessions.get(idOrName).catch(withOneText);
  if (!caller.sees(session.sessionId)) throw notFound();
  return session;
}

/** As `reachSession`; one deleted a short while ago comes back, because to connect it is to want it again. */
export async function reachOrRevive(
  idOrName: string,
  caller: Caller,
  sessions: Pick<Sessions, "get" | "connect" | "deletedName">,
): Promise<Session> {
  try {
    return await reachSession(idOrName, caller, sessions);
  } catch (error) {
    const name = isNotFound(error) ? await sessions.deletedName(idOrName) : null;
    // What a key sees is said in names.
    if (name === null || !caller.sees(name)) throw error;
    return sessions.connect(name, { by: authorOf(caller) }).catch(withOneText);
  }
}
