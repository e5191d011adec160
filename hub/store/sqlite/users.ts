/** People who log in, and their sign-ins. Only hashes of passwords and tokens are here. */
import type { User } from "../../core/user.ts";
import type { RefreshToken, Renewal, UserStore } from "../../core/store.ts";
import type { AuditLog } from "./audit.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { date, fromJson, ms, toJson } from "./json.ts";

interface UserRow {
  id: string;
  identifier: string;
  password: string;
  settings: string;
  created_at: number;
  disabled_at: number | null;
}

interface TokenRow {
  sign_in: string;
  user: string;
  expires_at: number;
  used_at: number | null;
}

type Settings = Pick<User, "scopes" | "sessions">;

export function createUserStore(engine: Engine, audit: Pick<AuditLog, "append">): UserStore {
  const { db } = engine;
  const list = db.prepare<[], UserRow>("SELECT * FROM user ORDER BY created_at, id");
  const get = db.prepare<[string], UserRow>("SELECT * FROM user WHERE id = ?");
  const byIdentifier = db.prepare<[string], UserRow>("SELECT * FROM user WHERE identifier = ?");
  const save = db.prepare(
    `INSERT INTO user(id, identifier, password, settings, created_at, disabled_at) VALUES(?, ?, ?, ?, ?, ?)
     ON CONFLICT(id) DO UPDATE SET identifier = excluded.identifier, password = excluded.password,
       settings = excluded.settings, disabled_at = excluded.disabled_at`,
  );
  const remove = db.prepare("DELETE FROM user WHERE id = ?");
  const endAll = db.prepare("DELETE FROM sign_in WHERE user = ?");
  const endOthers = db.prepare("DELETE FROM sign_in WHERE user = ? AND id <> ?");
  const begin = db.prepare("INSERT INTO sign_in(id, user, expires_at) VALUES(?, ?, ?)");
  const end = db.prepare("DELETE FROM sign_in WHERE id = ?");
  const prolong = db.prepare("UPDATE sign_in SET expires_at = ? WHERE id = ?");
  const signIn = db.prepare<[string], { user: string; expires_at: number }>(
    "SELECT user, expires_at FROM sign_in WHERE id = ?",
  );
  const token = db.prepare<[string], TokenRow>(
    `SELECT t.sign_in, s.user, t.expires_at, t.used_at
     FROM refresh_token t JOIN sign_in s ON s.id = t.sign_in WHERE t.hash = ?`,
  );
  const addToken = db.prepare("INSERT INTO refresh_token(hash, sign_in, expires_at) VALUES(?, ?, ?)");
  const useToken = db.prepare("UPDATE refresh_token SET used_at = ? WHERE hash = ?");
  const forget = ["sign_in", "refresh_token"].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE expires_at <= ?`),
  );
  const secret = db.prepare<[], { sealed: Buffer }>("SELECT sealed FROM token_secret WHERE n = 1");
  const saveSecret = db.prepare(
    "INSERT INTO token_secret(n, sealed) VALUES(1, ?) ON CONFLICT(n) DO UPDATE SET sealed = excluded.sealed",
  );

  const userOf = (row: UserRow | undefined): User | null => (row === undefined ? null : toUser(row));

  const renew = (hash: string, next: RefreshToken, now: Date): Renewal => {
    const row = token.get(hash);
    if (row === undefined || row.expires_at <= now.getTime()) return { result: "unknown" };
    if (row.used_at !== null) {
      end.run(row.sign_in);
      return { result: "reused", userId: row.user };
    }
    const user = userOf(get.get(row.user));
    if (user === null || user.disabledAt !== null) return { result: "unknown" };
    useToken.run(now.getTime(), hash);
    addToken.run(next.hash, row.sign_in, next.expiresAt.getTime());
    prolong.run(next.expiresAt.getTime(), row.sign_in);
    return { result: "renewed", user, signInId: row.sign_in };
  };

  return {
    list: call(() => list.all().map(toUser)),
    get: call((id) => userOf(get.get(id))),
    byIdentifier: call((identifier) => userOf(byIdentifier.get(identifier))),
    save: call((user, { ends = "none", entry } = {}) =>
      engine.transaction(() => {
        const holder = byIdentifier.get(user.identifier);
        if (holder !== undefined && holder.id !== user.id) return false;
        const { id, identifier, password, scopes, sessions, createdAt, disabledAt } = user;
        const settings: Settings = { scopes, sessions };
        const times = [createdAt.getTime(), ms(disabledAt)];
        save.run(id, identifier, toJson(password), toJson(settings), ...times);
        if (ends === "all") endAll.run(id);
        else if (ends !== "none") endOthers.run(id, ends.except);
        if (entry !== undefined) audit.append(entry);
        return true;
      }),
    ),
    remove: call((id, entry) =>
      engine.transaction(() => {
        const isGone = remove.run(id).changes > 0;
        if (isGone && entry !== undefined) audit.append(entry);
        return isGone;
      }),
    ),
    beginSignIn: call(({ id, userId }, { hash, expiresAt }, now) => {
      engine.transaction(() => {
        for (const old of forget) old.run(now.getTime());
        begin.run(id, userId, expiresAt.getTime());
        addToken.run(hash, id, expiresAt.getTime());
      });
    }),
    userOfSignIn: call((signInId, now) => {
      const row = signIn.get(signInId);
      if (row === undefined || row.expires_at <= now.getTime()) return null;
      const user = userOf(get.get(row.user));
      return user === null || user.disabledAt !== null ? null : user;
    }),
    renewSignIn: call((hash, next, now) => engine.transaction(() => renew(hash, next, now))),
    endSignIn: call((which) =>
      engine.transaction(() => {
        const signInId = "id" in which ? which.id : (token.get(which.tokenHash)?.sign_in ?? "");
        const user = userOf(get.get(signIn.get(signInId)?.user ?? ""));
        end.run(signInId);
        return user;
      }),
    ),
    tokenSecret: call(() => secret.get()?.sealed ?? null),
    saveTokenSecret: call((sealed) => {
      saveSecret.run(sealed);
    }),
  };
}

const toUser = (row: UserRow): User => ({
  ...fromJson<Settings>(row.settings),
  id: row.id,
  identifier: row.identifier,
  password: fromJson<User["password"]>(row.password),
  createdAt: new Date(row.created_at),
  disabledAt: date(row.disabled_at),
});
