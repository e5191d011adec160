/** The receivers of webhooks: what they are, their secrets, and the rules they keep. The only writer of the store's rows. */
import type { EventName } from "../contract/events.ts";
import { makeSecret } from "../contract/signature.ts";
import type { Audited } from "../core/audit.ts";
import type { Cipher } from "../core/cipher.ts";
import type { Clock } from "../core/clock.ts";
import { begunAfresh, movedOn, type Endpoint } from "../core/endpoint.ts";
import { HubError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { EndpointStore } from "../core/store.ts";
import type { AddressGuard } from "../core/webhook-address.ts";
import {
  caProblems,
  invalid,
  secretProblems,
  settingProblems,
  urlProblems,
  urlTextProblems,
  type Problem,
} from "./endpoint-rules.ts";
import { createEndpointSecrets, hasPlainHeaders } from "./endpoint-secrets.ts";
import { changed, NEW_ENDPOINT, type EndpointChange } from "./endpoint-settings.ts";
import { tryEndpoint, type EndpointTest } from "./endpoint-test.ts";
import type { Health } from "./health.ts";
import { createManagedEndpoints, type ManagedEndpoints } from "./managed-endpoints.ts";
import type { Signing } from "./wire-headers.ts";

/** How long the secret before a rotation still signs beside the new one. */
const OVERLAP_MS = 24 * 3_600_000;

/** Orders that are given `audited` leave its entry in one write with the act. */
export interface Endpoints extends ManagedEndpoints {
  list(): Promise<Endpoint[]>;
  /** `NOT_FOUND` */
  get(id: string): Promise<Endpoint>;
  /** The secret as it is displayed; the only time it is shown. */
  create(
    input: EndpointChange & { url: string; secret?: string | undefined },
    audited?: Audited,
  ): Promise<{ endpoint: Endpoint; secret: string }>;
  update(id: string, change: EndpointChange, audited?: Audited): Promise<Endpoint>;
  /** Returns how many deliveries it was still owed; they are dismissed. */
  remove(id: string, audited?: Audited): Promise<{ dismissed: number }>;
  rotateSecret(
    id: string,
    secret?: string,
    audited?: Audited,
  ): Promise<{ secret: string; previousValidUntil: Date }>;
  pause(id: string, audited?: Audited): Promise<Endpoint>;
  /** Starts afresh: breaker closed, run of failures forgotten. */
  resume(id: string, audited?: Audited): Promise<Endpoint>;
  /** Sends `endpoint.test` now, outside the outbox. */
  test(id: string, event?: EventName): Promise<EndpointTest>;
  /** What is wrong with a URL, and with a secret, that somebody may use later. */
  problemsOf(wish: { url: string; secret?: string | undefined }): Promise<Problem[]>;
  forSession(sessionId: string): Promise<Endpoint[]>;
  /** Secrets that sign now. */
  signing(endpoint: Endpoint): Signing;
  /** Whether this is its secret. */
  hasSecret(endpoint: Endpoint, secret: string): boolean;
  /** Of the secrets that sign now, the newest first; none where they cannot be opened. */
  fingerprints(endpoint: Endpoint): string[];
  /** Seals what an earlier version left in plain. */
  sealEarlier(): Promise<void>;
  /** Keeps what the dispatcher learnt. `becomes` changes the state unless a person paused it meanwhile. */
  saveHealth(id: string, health: Health, becomes: Endpoint["state"] | null): Promise<void>;
  /** Calls `listener` after each change by a person. Returns the function that stops it. */
  onChange(listener: OnEndpointChange): () => void;
}

/** `endpoint` is null when it was removed. `isAfresh`: what was learnt of it before says nothing any more. */
type OnEndpointChange = (id: string, endpoint: Endpoint | null, isAfresh: boolean) => void;

export interface EndpointsParts {
  store: EndpointStore;
  cipher: Cipher;
  guard: AddressGuard;
  clock: Clock;
  log: Log;
  /** `InboxHub/<version>` */
  userAgent: string;
}

export function createEndpoints(parts: EndpointsParts): Endpoints {
  const { store, guard, clock, log, userAgent } = parts;
  const listeners = new Set<OnEndpointChange>();
  const secrets = createEndpointSecrets(parts);
  let book: Promise<Map<string, Endpoint>> | null = null;
  let changes: Promise<unknown> = Promise.resolve();

  const known = (): Promise<Map<string, Endpoint>> => {
    book ??= store.list().then((rows) => new Map(rows.map((row) => [row.id, secrets.fromStore(row)])));
    book.catch(() => (book = null)); // the next call asks again
    return book;
  };
  const get = async (id: string): Promise<Endpoint> => {
    const endpoint = (await known()).get(id);
    if (endpoint === undefined) throw new HubError("NOT_FOUND", `There is no endpoint "${id}".`);
    return endpoint;
  };
  /** Changes follow one another: two at once would each build on the same old row. */
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const result = changes.then(work, work);
    changes = result.catch(() => undefined);
    return result;
  };

  const tell: OnEndpointChange = (...change) => {
    for (const listener of listeners) listener(...change);
  };
  const save = async (endpoint: Endpoint, audited?: Audited): Promise<Endpoint> => {
    await store.save(secrets.forStore(endpoint), audited?.(endpoint.id));
    (await known()).set(endpoint.id, endpoint);
    tell(endpoint.id, endpoint, false);
    return endpoint;
  };
  /** Its failures were those of another place or secret, or a person says that they are over: what waits is tried now. */
  const saveAfresh = async (endpoint: Endpoint, audited?: Audited): Promise<Endpoint> => {
    const fresh = begunAfresh(endpoint);
    await store.saveAfresh(secrets.forStore(fresh), audited?.(fresh.id));
    (await known()).set(fresh.id, fresh);
    tell(fresh.id, fresh, true);
    return fresh;
  };

  const refuse = (endpoint: Endpoint, before: Endpoint | null, secret?: string): void => {
    const problems: Problem[] = [...settingProblems(endpoint), ...secretProblems(secret)];
    // One that has expired since must not stand in the way of every other change.
    if (endpoint.ca !== before?.ca) problems.push(...caProblems(endpoint, clock.now()));
    if (endpoint.url !== before?.url) problems.push(...urlTextProblems(endpoint.url, guard));
    if (problems.length > 0) throw invalid(problems);
  };
  /** Before its turn: somebody else's name servers must not hold up other orders, nor what is learnt of endpoints. */
  const refuseHost = async (url: string): Promise<void> => {
    if (urlTextProblems(url, guard).length > 0) return; // told with all else that is wrong
    const problems = await urlProblems(url, guard);
    if (problems.length > 0) throw invalid(problems);
  };

  const create = async (
    input: EndpointChange & { url: string; secret?: string | undefined },
    managedBy: Endpoint["managedBy"],
    audited?: Audited,
  ): Promise<{ endpoint: Endpoint; secret: string }> => {
    const now = clock.now();
    const id = newId("ep", now);
    const secret = input.secret ?? makeSecret();
    const endpoint: Endpoint = changed(
      { ...NEW_ENDPOINT, id, managedBy, secret: secrets.seal(id, secret), createdAt: now },
      input,
    );
    refuse(endpoint, null, secret);
    await save(endpoint, audited);
    log.info({ endpointId: id, managedBy }, "endpoint.created");
    return { endpoint, secret };
  };

  const update = async (id: string, change: EndpointChange, audited?: Audited): Promise<Endpoint> => {
    const before = await get(id);
    const endpoint = changed(before, change);
    refuse(endpoint, before);
    log.info({ endpointId: id, members: Object.keys(change) }, "endpoint.updated");
    if (change.headers === undefined && endpoint.headers !== before.headers)
      log.warn({ endpointId: id, headers: Object.keys(before.headers) }, "endpoint.headers_dropped");
    return endpoint.url === before.url ? save(endpoint, audited) : saveAfresh(movedOn(endpoint), audited);
  };

  const remove = async (id: string, audited?: Audited): Promise<{ dismissed: number }> => {
    await get(id);
    const dismissed = await store.remove(id, audited?.(id));
    (await known()).delete(id);
    tell(id, null, false);
    log.info({ endpointId: id, dismissed }, "endpoint.removed");
    return { dismissed };
  };

  const rotate = async (
    id: string,
    wished?: string,
    audited?: Audited,
  ): Promise<{ secret: string; previousValidUntil: Date }> => {
    const before = await get(id);
    const problems = secretProblems(wished);
    if (problems.length > 0) throw invalid(problems);
    const secret = wished ?? makeSecret();
    const previousValidUntil = new Date(clock.now().getTime() + OVERLAP_MS);
    // One that cannot be opened signs nothing, and would keep the new one from signing.
    const previousSecret = secrets.canOpen(before)
      ? { sealed: before.secret, until: previousValidUntil }
      : null;
    await saveAfresh({ ...before, secret: secrets.seal(id, secret), previousSecret }, audited);
    log.info({ endpointId: id, previousValidUntil }, "endpoint.secret_rotated");
    return { secret, previousValidUntil };
  };

  const setState = async (id: string, state: "active" | "paused", audited?: Audited): Promise<Endpoint> => {
    const before = await get(id);
    log.info({ endpointId: id, state }, "endpoint.state_set");
    const endpoint: Endpoint = { ...before, state, isGone: false };
    return state === "active" ? saveAfresh(endpoint, audited) : save(endpoint, audited);
  };

  const list = async (): Promise<Endpoint[]> => [...(await known()).values()];
  const managed = createManagedEndpoints({ list, get, create, update, remove, rotate, secrets, guard });

  return {
    list,
    get,
    create: async (input, audited) => {
      await refuseHost(input.url);
      return inOrder(() => create(input, null, audited));
    },
    update: async (id, change, audited) => {
      if (change.url !== undefined && change.url !== (await get(id)).url) await refuseHost(change.url);
      return inOrder(() => update(id, change, audited));
    },
    remove: (id, audited) => inOrder(() => remove(id, audited)),
    rotateSecret: (id, secret, audited) => inOrder(() => rotate(id, secret, audited)),
    pause: (id, audited) => inOrder(() => setState(id, "paused", audited)),
    resume: (id, audited) => inOrder(() => setState(id, "active", audited)),
    test: async (id, event) => {
      const endpoint = await get(id);
      return tryEndpoint(endpoint, {
        event,
        signing: secrets.signing(endpoint),
        guard,
        userAgent,
        now: clock.now(),
      });
    },
    setForSession: async (sessionId, wish) => {
      const { url, secret } = wish;
      if (url !== undefined && url !== "") await managed.checkForSession(sessionId, { url, secret });
      return inOrder(() => managed.setForSession(sessionId, wish));
    },
    checkForSession: managed.checkForSession,
    problemsOf: async ({ url, secret }) => [...secretProblems(secret), ...(await urlProblems(url, guard))],
    forSession: async (sessionId) =>
      (await list()).filter(({ sessions }) => sessions === "*" || sessions.includes(sessionId)),
    ensureDefault: async (target) => {
      const isKnown = (await list()).some((one) => one.managedBy === "default" && one.url === target?.url);
      if (target !== null && !isKnown) await refuseHost(target.url);
      return inOrder(() => managed.ensureDefault(target));
    },
    signing: secrets.signing,
    hasSecret: secrets.has,
    fingerprints: secrets.fingerprints,
    sealEarlier: () =>
      inOrder(async () => {
        const earlier = (await store.list()).filter(hasPlainHeaders);
        for (const endpoint of earlier) await store.save(secrets.forStore(secrets.fromStore(endpoint)));
        if (earlier.length > 0) log.info({ endpoints: earlier.length }, "endpoint.headers_sealed");
      }),
    saveHealth: (id, health, becomes) =>
      inOrder(async () => {
        const endpoint = (await known()).get(id);
        if (endpoint === undefined) return; // removed meanwhile
        const { breaker, failingSince, lastSuccessAt, lastError } = health;
        const stands =
          becomes === null || endpoint.state === "paused"
            ? endpoint
            : { state: becomes, isGone: becomes === "paused" };
        const { state, isGone } = stands;
        const learnt: Endpoint = {
          ...endpoint,
          ...{ breaker, failingSince, lastSuccessAt, lastError, state, isGone },
        };
        await store.saveHealth(id, learnt);
        (await known()).set(id, learnt);
      }),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
