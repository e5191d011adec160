/** Endpoints that nobody makes by hand: the one of a session, and the one of the hub's own configuration. */
import type { Endpoint } from "../core/endpoint.ts";
import type { AddressGuard } from "../core/webhook-address.ts";
import { inSessionWords, invalid, secretProblems, urlProblems } from "./endpoint-rules.ts";
import type { EndpointSecrets } from "./endpoint-secrets.ts";
import { MANAGED_ENDPOINT, type EndpointChange } from "./endpoint-settings.ts";

export interface ManagedEndpoints {
  /**
   * The one endpoint a session manages by itself. An empty URL removes it. `settings` are those of one that is made anew.
   * `secret` only when the hub made it.
   */
  setForSession(
    sessionId: string,
    wish: {
      url?: string | undefined;
      secret?: string | undefined;
      client?: string | null | undefined;
      settings?: EndpointChange;
    },
  ): Promise<{ endpoint: Endpoint | null; secret: string | null }>;
  /** `VALIDATION_ERROR` for what `setForSession` would refuse; changes nothing. */
  checkForSession(sessionId: string, wish: { url: string; secret?: string | undefined }): Promise<void>;
  /** The endpoint of the hub's own configuration; null takes a former one out of use, its rows stay. */
  ensureDefault(
    target: { url: string; secret: string; client?: string | null } | null,
  ): Promise<Endpoint | null>;
}

/** What any endpoint can be ordered; whoever calls keeps orders from crossing. */
interface Orders {
  list(): Promise<Endpoint[]>;
  get(id: string): Promise<Endpoint>;
  create(
    input: EndpointChange & { url: string; secret?: string | undefined },
    managedBy: Endpoint["managedBy"],
  ): Promise<{ endpoint: Endpoint; secret: string }>;
  update(id: string, change: EndpointChange): Promise<Endpoint>;
  remove(id: string): Promise<unknown>;
  rotate(id: string, secret: string): Promise<unknown>;
}

export function createManagedEndpoints({
  secrets,
  guard,
  ...orders
}: Orders & { secrets: Pick<EndpointSecrets, "has">; guard: AddressGuard }): ManagedEndpoints {
  const { list, get, create, update, remove, rotate } = orders;

  const ofSession = async (sessionId: string): Promise<Endpoint | undefined> =>
    (await list()).find(
      ({ managedBy, sessions }) =>
        managedBy === "session" && sessions !== "*" && sessions.includes(sessionId),
    );

  const set: ManagedEndpoints["setForSession"] = async (sessionId, { url, secret, client, settings }) => {
    const existing = await ofSession(sessionId);
    if (url === "") {
      if (existing !== undefined) await remove(existing.id);
      return { endpoint: null, secret: null };
    }
    if (existing === undefined) {
      if (url === undefined)
        throw invalid([{ path: "webhookUrl", problem: "is needed: this session has none yet" }]);
      const made = await create(
        { ...MANAGED_ENDPOINT, ...settings, url, secret, client: client ?? null, sessions: [sessionId] },
        "session",
      );
      return { endpoint: made.endpoint, secret: secret === undefined ? made.secret : null };
    }
    const problems = secretProblems(secret);
    if (problems.length > 0) throw invalid(problems);
    if (url !== undefined && url !== existing.url) await update(existing.id, { url });
    if (secret !== undefined && !secrets.has(existing, secret)) await rotate(existing.id, secret);
    return { endpoint: await get(existing.id), secret: null };
  };

  return {
    setForSession: async (sessionId, wish) => {
      try {
        return await set(sessionId, wish);
      } catch (error) {
        throw inSessionWords(error);
      }
    },
    checkForSession: async (sessionId, { url, secret }) => {
      const problems = secretProblems(secret);
      if (url !== (await ofSession(sessionId))?.url) problems.push(...(await urlProblems(url, guard)));
      if (problems.length > 0) throw inSessionWords(invalid(problems));
    },
    ensureDefault: async (target) => {
      const existing = (await list()).find(({ managedBy }) => managedBy === "default");
      if (target === null)
        return existing?.enabled === true ? update(existing.id, { enabled: false }) : (existing ?? null);
      const { url, secret, client = null } = target;
      if (existing === undefined) {
        const description = "HUB_WEBHOOK_URL";
        return (await create({ ...MANAGED_ENDPOINT, url, secret, client, description }, "default")).endpoint;
      }
      if (!secrets.has(existing, secret)) await rotate(existing.id, secret);
      if (url === existing.url && existing.enabled && client === existing.client) return get(existing.id);
      return update(existing.id, { url, client, enabled: true });
    },
  };
}
