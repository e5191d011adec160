/** Credentials and Signal keys. One step of the ratchet and the stanzas it proves are one transaction. */
import type { AuthStore, IntakeEntry } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { createLogins } from "./logins.ts";

export function createAuthStore(
  engine: Engine,
  intake: { insert(session: number, entry: IntakeEntry): void },
): AuthStore {
  const { db } = engine;
  const creds = db.prepare<[number], { v: Buffer }>("SELECT v FROM auth_creds WHERE session = ?");
  const saveCreds = db.prepare(
    "INSERT INTO auth_creds(session, v) VALUES(?, ?) ON CONFLICT(session) DO UPDATE SET v = excluded.v",
  );
  const key = db.prepare<[number, string, string], { v: Buffer }>(
    "SELECT v FROM auth_key WHERE session = ? AND type = ? AND id = ?",
  );
  const saveKey = db.prepare(
    `INSERT INTO auth_key(session, type, id, v) VALUES(?, ?, ?, ?)
     ON CONFLICT(session, type, id) DO UPDATE SET v = excluded.v`,
  );
  const deleteKey = db.prepare("DELETE FROM auth_key WHERE session = ? AND type = ? AND id = ?");
  const moveOn = db.prepare(
    `INSERT INTO login(session, key_version, fp) VALUES(?, 1, ?)
     ON CONFLICT(session) DO UPDATE SET key_version = key_version + 1, fp = coalesce(excluded.fp, fp)`,
  );
  const renew = db.prepare("UPDATE login SET stale = 0 WHERE session = ?");

  return {
    ...createLogins(engine),
    creds: call((sessionId) => creds.get(engine.session(sessionId).id)?.v ?? null),
    keys: call((sessionId, type, ids) => {
      const { id: session } = engine.session(sessionId);
      const found = new Map<string, Uint8Array>();
      for (const id of ids) {
        const row = key.get(session, type, id);
        if (row !== undefined) found.set(id, row.v);
      }
      return found;
    }),
    commit: call((sessionId, step) => {
      const { id: session } = engine.session(sessionId);
      engine.transaction(() => {
        if (step.creds !== undefined) saveCreds.run(session, step.creds);
        for (const { type, id, value } of step.keys) {
          if (value === null) deleteKey.run(session, type, id);
          else saveKey.run(session, type, id, value);
        }
        if (step.creds !== undefined || step.keys.length > 0) moveOn.run(session, step.fingerprint ?? null);
        if (step.renewed) renew.run(session);
        for (const entry of step.intake) intake.insert(session, entry);
      });
    }),
  };
}
