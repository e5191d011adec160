/** Wrapped data keys. */
import type { VaultStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";

export function createVaultStore({ db }: Pick<Engine, "db">): VaultStore {
  const get = db.prepare<[string], { wrapped: Buffer }>("SELECT wrapped FROM data_key WHERE scope = ?");
  const save = db.prepare(
    "INSERT INTO data_key(scope, wrapped) VALUES(?, ?) ON CONFLICT(scope) DO UPDATE SET wrapped = excluded.wrapped",
  );
  const scopes = db.prepare<[], { scope: string }>("SELECT scope FROM data_key ORDER BY scope");
  return {
    scopes: call(() => scopes.all().map(({ scope }) => scope)),
    dataKey: call((scope) => get.get(scope)?.wrapped ?? null),
    saveDataKey: call((scope, wrapped) => {
      save.run(scope, wrapped);
    }),
  };
}
