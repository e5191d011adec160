/** API keys. Only hashes are here. */
import { defaultKeySettings, type ApiKey, type ApiKeySettings } from "../../core/api-key.ts";
import type { AuditLog } from "./audit.ts";
import type { KeyStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { date, fromJson, ms, toJson } from "./json.ts";

interface KeyRow {
  id: string;
  hash: string;
  previous_hash: string | null;
  previous_until: number | null;
  expires_at: number | null;
  created_at: number;
  settings: string;
}

type Settings = Pick<
  ApiKey,
  "name" | "scopes" | "sessions" | "allowedCidrs" | "client" | "settings" | "operatorHash"
>;
/** Rows of older versions lack what came later. */
type StoredSettings = Omit<Settings, "allowedCidrs" | "settings" | "operatorHash"> &
  Partial<Pick<Settings, "allowedCidrs" | "operatorHash">> & { settings: Partial<ApiKeySettings> };

export function createKeyStore(engine: Engine, audit: Pick<AuditLog, "append">): KeyStore {
  const { db, clock } = engine;
  const list = db.prepare<[], KeyRow>("SELECT * FROM api_key ORDER BY created_at, id");
  const byHash = db.prepare<[string], KeyRow>("SELECT * FROM api_key WHERE hash = ?");
  const byPrevious = db.prepare<[string, number], KeyRow>(
    "SELECT * FROM api_key WHERE previous_hash = ? AND previous_until > ?",
  );
  const get = db.prepare<[string], KeyRow>("SELECT * FROM api_key WHERE id = ?");
  const save = db.prepare(
    `INSERT INTO api_key(id, hash, previous_hash, previous_until, expires_at, created_at, settings) VALUES(?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT(id) DO UPDATE SET hash = excluded.hash, previous_hash = excluded.previous_hash,
       previous_until = excluded.previous_until, expires_at = excluded.expires_at, settings = excluded.settings`,
  );
  const remove = db.prepare("DELETE FROM api_key WHERE id = ?");
  const orNull = (row: KeyRow | undefined): ApiKey | null => (row === undefined ? null : toKey(row));

  return {
    list: call(() => list.all().map(toKey)),
    byHash: call((hash) => orNull(byHash.get(hash) ?? byPrevious.get(hash, clock.now().getTime()))),
    get: call((id) => orNull(get.get(id))),
    save: call((key, entry) =>
      engine.transaction(() => {
        const { name, scopes, sessions, allowedCidrs, client, settings, operatorHash } = key;
        const kept: Settings = { name, scopes, sessions, allowedCidrs, client, settings, operatorHash };
        save.run(
          key.id,
          key.hash,
          key.previous?.hash ?? null,
          ms(key.previous?.until ?? null),
          ms(key.expiresAt),
          key.createdAt.getTime(),
          toJson(kept),
        );
        if (entry !== undefined) audit.append(entry);
      }),
    ),
    remove: call((id, entry) =>
      engine.transaction(() => {
        const isGone = remove.run(id).changes > 0;
        if (isGone && entry !== undefined) audit.append(entry);
        return isGone;
      }),
    ),
  };
}

function toKey(row: KeyRow): ApiKey {
  const stored = fromJson<StoredSettings>(row.settings);
  return {
    ...stored,
    allowedCidrs: stored.allowedCidrs ?? [],
    operatorHash: stored.operatorHash ?? null,
    settings: { ...defaultKeySettings, ...stored.settings },
    id: row.id,
    hash: row.hash,
    previous:
      row.previous_hash === null || row.previous_until === null
        ? null
        : { hash: row.previous_hash, until: new Date(row.previous_until) },
    expiresAt: date(row.expires_at),
    createdAt: new Date(row.created_at),
  };
}
