/** What is known of files: their rows and the tokens of their short URLs. The bytes lie on disk. */
import type { Message } from "../../core/message.ts";
import type { MediaItem, MediaState, MediaStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import type { Messages } from "./inbox/messages.ts";
import { MESSAGE_COLUMNS, toMessage, type MessageRow } from "./inbox/message-rows.ts";
import { toJson } from "./json.ts";

interface MediaRow {
  media_id: string;
  session: number | null;
  message: number | null;
  state: MediaState;
  filename: string;
  filesize: number;
  mimetype: string;
  sha256: string | null;
  created_at: number;
}

/** Longer than the whole schedule of retries: the URL in an event body works as long as the event may come. */
const TOKEN_LIFE_MS = 7 * 24 * 3600 * 1000;

/** A URL that is handed out works at least so long. */
const LEAST_LEFT_MS = 3600 * 1000;

export interface MediaRows {
  /** The file of a message that was just stored; an upload that became a message keeps its bytes. */
  attach(session: number, n: number, message: Message, now: Date): void;
}

export function createMediaRows({ db }: Engine): MediaRows {
  const insert = db.prepare(
    `INSERT INTO media(media_id, session, message, state, filename, filesize, mimetype, sha256, created_at)
     VALUES(?, ?, ?, 'remote', ?, ?, ?, ?, ?)
     ON CONFLICT(media_id) DO UPDATE SET message = excluded.message, session = excluded.session`,
  );
  const insertToken = db.prepare(
    "INSERT INTO media_token(token, media_id, expires_at) VALUES(?, ?, ?) ON CONFLICT(token) DO NOTHING",
  );
  return {
    attach: (session, n, { media }, now) => {
      if (media === null || media.mediaId === "") return;
      const at = now.getTime();
      const { mediaId, filename, filesize, mimetype, sha256, token } = media;
      insert.run(mediaId, session, n, filename, filesize, mimetype, sha256, at);
      if (token !== "") insertToken.run(token, mediaId, at + TOKEN_LIFE_MS);
    },
  };
}

export function createMediaStore(engine: Engine, messages: Messages): MediaStore {
  const { db } = engine;
  const insert = db.prepare(
    `INSERT INTO media(media_id, session, state, filename, filesize, mimetype, sha256, created_at)
     VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(media_id) DO NOTHING`,
  );
  const get = db.prepare<[string], MediaRow>("SELECT * FROM media WHERE media_id = ?");
  const owner = db.prepare<[string], MessageRow>(
    `SELECT ${MESSAGE_COLUMNS} FROM media f JOIN message m ON m.n = f.message JOIN chat c ON c.id = m.chat WHERE f.media_id = ?`,
  );
  const raw = db.prepare<[number], { v: Buffer }>("SELECT v FROM message_raw WHERE message = ?");
  const saveState = db.prepare(
    "UPDATE media SET state = ?, filesize = coalesce(?, filesize), sha256 = coalesce(?, sha256) WHERE media_id = ?",
  );
  const insertToken = db.prepare(
    `INSERT INTO media_token(token, media_id, expires_at) VALUES(?, ?, ?)
     ON CONFLICT(token) DO UPDATE SET media_id = excluded.media_id, expires_at = excluded.expires_at`,
  );
  const byToken = db.prepare<[string, number], MediaRow>(
    "SELECT f.* FROM media_token t JOIN media f ON f.media_id = t.media_id WHERE t.token = ? AND t.expires_at > ?",
  );
  const ending = db.prepare<[string, number], { token: string }>(
    "SELECT t.token FROM json_each(?) CROSS JOIN media_token t ON t.token = json_each.value WHERE t.expires_at < ?",
  );
  const renew = db.prepare(
    "UPDATE media_token SET expires_at = ? WHERE token IN (SELECT value FROM json_each(?))",
  );
  const remove = db.prepare("DELETE FROM media WHERE media_id = ?");
  // A picture of a contact has an address for as long as it is theirs.
  const unused = db.prepare<[number, number, number], { media_id: string }>(
    `SELECT f.media_id FROM media f WHERE f.message IS NULL AND f.created_at < ?
     AND NOT EXISTS(SELECT 1 FROM media_token t WHERE t.media_id = f.media_id AND t.expires_at > ?)
     ORDER BY f.created_at LIMIT ?`,
  );
  const given = "(SELECT value FROM json_each(?))";
  const removeAll = [
    "INSERT OR IGNORE INTO media_left SELECT value FROM json_each(?)",
    `DELETE FROM media_token WHERE media_id IN ${given}`,
    `DELETE FROM media WHERE media_id IN ${given}`,
  ].map((sql) => db.prepare<[string]>(sql));
  const left = db.prepare<[string, number], { media_id: string }>(
    "SELECT media_id FROM media_left WHERE media_id > ? ORDER BY media_id LIMIT ?",
  );
  const cleared = db.prepare("DELETE FROM media_left WHERE media_id IN (SELECT value FROM json_each(?))");
  const forgetTokens = db.prepare(
    "DELETE FROM media_token WHERE media_id = ? AND expires_at <= ? AND token <> ?",
  );
  const removeTokens = db.prepare("DELETE FROM media_token WHERE media_id = ?");

  const toItem = (row: MediaRow): MediaItem => ({
    mediaId: row.media_id,
    sessionId: row.session === null ? null : engine.sessionName(row.session),
    state: row.state,
    filename: row.filename,
    filesize: row.filesize,
    mimetype: row.mimetype,
    sha256: row.sha256,
    createdAt: new Date(row.created_at),
  });

  return {
    add: call((item) => {
      const session = item.sessionId === null ? null : engine.session(item.sessionId).id;
      const { mediaId, state, filename, filesize, mimetype, sha256, createdAt } = item;
      insert.run(mediaId, session, state, filename, filesize, mimetype, sha256, createdAt.getTime());
    }),
    get: call((mediaId) => {
      const row = get.get(mediaId);
      return row === undefined ? null : toItem(row);
    }),
    messageOf: call((mediaId) => {
      const row = owner.get(mediaId);
      const session = row === undefined ? undefined : engine.sessionById(row.session);
      if (row === undefined || session === undefined) return null;
      return toMessage(row, messages.context(session), raw.get(row.n)?.v.toString("base64") ?? null);
    }),
    saveState: call((mediaId, { state, filesize, sha256 }) => {
      saveState.run(state, filesize ?? null, sha256 ?? null, mediaId);
    }),
    addToken: call((token, mediaId, expiresAt) => {
      insertToken.run(token, mediaId, expiresAt.getTime());
    }),
    forgetTokens: call((mediaId, { but, now }) => forgetTokens.run(mediaId, now.getTime(), but).changes),
    renewTokens: call((tokens, now) => {
      if (tokens.length === 0) return;
      const at = now.getTime();
      const due = ending.all(toJson(tokens), at + LEAST_LEFT_MS).map(({ token }) => token);
      if (due.length > 0) renew.run(at + TOKEN_LIFE_MS, toJson(due));
    }),
    byToken: call((token, now) => {
      const row = byToken.get(token, now.getTime());
      return row === undefined ? null : toItem(row);
    }),
    remove: call((mediaId) => {
      engine.transaction(() => {
        removeTokens.run(mediaId);
        remove.run(mediaId);
      });
    }),
    forgetUploads: call(({ before, now, limit }) =>
      engine.transaction(() => {
        const ids = unused.all(before.getTime(), now.getTime(), limit).map(({ media_id }) => media_id);
        if (ids.length > 0) for (const gone of removeAll) gone.run(toJson(ids));
        return ids.length;
      }),
    ),
    left: call((after, limit) => left.all(after, limit).map(({ media_id }) => media_id)),
    cleared: call((mediaIds) => {
      cleared.run(toJson(mediaIds));
    }),
  };
}
