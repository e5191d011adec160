/** Credentials and Signal keys. One step of the ratchet and the stanzas it proves are one transaction. */
import type { AuthStore, IntakeEntry } from "../../core/store.ts";
import { newId } from "../../core/ids.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";

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
  const sealAway = db.prepare("INSERT INTO quarantine(id, session, reason, at, creds) VALUES(?, ?, ?, ?, ?)");
  const sealAwayKeys = db.prepare(
    "INSERT INTO quarantine_key(quarantine, type, id, v) SELECT ?, type, id, v FROM auth_key WHERE session = ?",
  );
  const deleteCreds = db.prepare("DELETE FROM auth_creds WHERE session = ?");
  const deleteKeys = db.prepare("DELETE FROM auth_key WHERE session = ?");

  return {
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
        for (const entry of step.intake) intake.insert(session, entry);
      });
    }),
    quarantine: call((sessionId, reason, now) => {
      const { id: session } = engine.session(sessionId);
      return engine.transaction(() => {
        const id = newId("qr", now);
        const kept = creds.get(session)?.v ?? null;
        const { changes } = sealAwayKeys.run(id, session);
        if (kept === null && changes === 0) return null;
        sealAway.run(id, session, reason, now.getTime(), kept);
        deleteKeys.run(session);
        deleteCreds.run(session);
        return id;
      });
    }),
  };
}
