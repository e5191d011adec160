/** Receivers of webhooks. A removed one keeps its row, so that the deliveries it had can still be read. */
import type { Endpoint } from "../../core/endpoint.ts";
import type { EndpointStore } from "../../core/store.ts";
import type { AuditLog } from "./audit.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { breakerJson, settingsJson } from "./endpoint-rows.ts";
import { bit, ms } from "./json.ts";
import { createHasten } from "./outbox/hasten.ts";

export function createEndpointStore(engine: Engine, audit: Pick<AuditLog, "append">): EndpointStore {
  const { db } = engine;
  const save = db.prepare(
    `INSERT INTO endpoint(id, url, settings, secret, previous_secret, previous_until, state, breaker, failing_since,
       last_success_at, last_error, created_at, is_gone)
     VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT(id) DO UPDATE SET url = excluded.url, settings = excluded.settings, secret = excluded.secret,
       previous_secret = excluded.previous_secret, previous_until = excluded.previous_until, state = excluded.state,
       is_gone = excluded.is_gone`,
  );
  const saveHealth = db.prepare(
    `UPDATE endpoint SET breaker = ?, failing_since = ?, last_success_at = ?, last_error = ?, state = ?, is_gone = ?
     WHERE id = ?`,
  );
  const remove = db.prepare(
    "UPDATE endpoint SET removed_at = ?, secret = x'', previous_secret = NULL WHERE n = ?",
  );
  // What waits in lanes, what waits aside, what is parked: each through its own index.
  const dismiss = [
    `UPDATE delivery SET state = 5, done_at = @now WHERE state < 2 AND aside = 0
       AND lane IN (SELECT id FROM lane WHERE endpoint = @n AND pending > 0)`,
    "UPDATE delivery SET state = 5, done_at = @now WHERE state < 2 AND aside = 1 AND endpoint = @n",
    "UPDATE delivery INDEXED BY delivery_dead SET state = 5, done_at = @now WHERE state = 4 AND endpoint = @n",
  ].map((sql) => db.prepare<[{ now: number; n: number }]>(sql));
  const hasten = createHasten(engine);
  const emptyLanes = db.prepare("UPDATE lane SET pending = 0 WHERE endpoint = ?");

  const put = (endpoint: Endpoint): void => {
    save.run(
      endpoint.id,
      endpoint.url,
      settingsJson(endpoint),
      endpoint.secret,
      endpoint.previousSecret?.sealed ?? null,
      ms(endpoint.previousSecret?.until ?? null),
      endpoint.state,
      breakerJson(endpoint.breaker),
      ms(endpoint.failingSince),
      ms(endpoint.lastSuccessAt),
      endpoint.lastError,
      endpoint.createdAt.getTime(),
      bit(endpoint.isGone),
    );
  };
  const putHealth = (id: string, health: Parameters<EndpointStore["saveHealth"]>[1]): void => {
    const { breaker, failingSince, lastSuccessAt, lastError, state, isGone } = health;
    const times = [ms(failingSince), ms(lastSuccessAt)];
    saveHealth.run(breakerJson(breaker), ...times, lastError, state, bit(isGone), id);
  };

  return {
    list: call(() => engine.endpoints().map(({ endpoint }) => structuredClone(endpoint))),
    get: call((id) => structuredClone(engine.endpoint(id)?.endpoint ?? null)),
    save: call((endpoint, entry) =>
      engine.transaction(() => {
        put(endpoint);
        engine.forget("endpoints");
        if (entry !== undefined) audit.append(entry);
      }),
    ),
    saveAfresh: call((endpoint, entry) =>
      engine.transaction(() => {
        put(endpoint);
        putHealth(endpoint.id, endpoint);
        engine.forget("endpoints");
        const stored = engine.endpoint(endpoint.id);
        if (stored !== undefined) hasten(stored.n);
        if (entry !== undefined) audit.append(entry);
      }),
    ),
    saveHealth: call((id, health) => {
      putHealth(id, health);
      const { breaker, failingSince, lastSuccessAt, lastError, state, isGone } = health;
      // Written after every few deliveries: the cached row is changed in place instead of reading all again.
      const stored = engine.endpoint(id);
      if (stored !== undefined)
        stored.endpoint = {
          ...stored.endpoint,
          breaker: { ...breaker },
          failingSince,
          lastSuccessAt,
          lastError,
          state,
          isGone,
        };
    }),
    remove: call((id, entry) =>
      engine.transaction(() => {
        const stored = engine.endpoint(id);
        if (stored === undefined) return 0;
        const now = engine.clock.now().getTime();
        const dismissed = dismiss.reduce((sum, one) => sum + one.run({ now, n: stored.n }).changes, 0);
        emptyLanes.run(stored.n);
        remove.run(now, stored.n);
        engine.forget("endpoints");
        if (entry !== undefined) audit.append(entry);
        return dismissed;
      }),
    ),
  };
}
