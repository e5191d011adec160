/** The data folder of a hub, read by another connection while the hub runs or after it was killed. Nothing is written. */
import { join } from "node:path";
import Database from "better-sqlite3";

export interface StoredEvent {
  id: string;
  type: string;
  sessionId: string;
  /** Of the message it is about; null for others. */
  messageId: string | null;
  body: string;
  deliveries: number;
}

export interface Folder {
  quickCheck(): string;
  /** Stanza ids, with their sessions, of intake rows whose plaintext is kept. */
  withPlaintext(): Set<string>;
  /** …of intake rows that are closed. */
  done(): Set<string>;
  /** Session and id of each message row, as often as there is one. */
  messages(): string[];
  events(): StoredEvent[];
  /** What each endpoint has subscribed to. */
  subscriptions(): string[][];
  openIntake(): number;
  pendingDeliveries(): number;
  /** Sessions that have credentials. */
  withCredentials(): Set<string>;
  /** Numbers that more than one session holds. */
  sharedNumbers(): string[];
}

export const keyOf = (sessionId: string, id: string): string => `${sessionId} ${id}`;

/** Opens, reads, closes: a reader that stays would keep the write-ahead log from being emptied. */
export function readFolder<T>(dataDir: string, read: (folder: Folder) => T): T {
  const db = new Database(join(dataDir, "hub.db"), { readonly: true, timeout: 5000 });
  try {
    // All questions are answered from one snapshot: what another reader could see at one moment.
    return db.transaction(() => read(folderOf(db)))();
  } finally {
    db.close();
  }
}

function folderOf(db: Database.Database): Folder {
  const column = <T>(sql: string): T[] => db.prepare<[], T>(sql).pluck().all();
  const number = (sql: string): number => column<number>(sql)[0] ?? 0;
  const named = (expression: string, table: string): string =>
    `SELECT s.session_id || ' ' || ${expression} FROM ${table} t JOIN session s ON s.id = t.session`;
  return {
    quickCheck: () => column<string>("PRAGMA quick_check")[0] ?? "",
    withPlaintext: () =>
      new Set(column<string>(`${named("t.stanza_id", "intake")} JOIN intake_plain p ON p.intake = t.n`)),
    done: () => new Set(column<string>(`${named("t.stanza_id", "intake")} WHERE t.state = 1`)),
    messages: () => column<string>(named("t.id", "message")),
    events: () =>
      db
        .prepare<[], StoredEvent>(
          `SELECT e.id, e.type, json_extract(e.body, '$.sessionId') AS sessionId,
             json_extract(e.body, '$.data.message.messageId') AS messageId, e.body,
             (SELECT count(*) FROM delivery d WHERE d.event_seq = e.seq) AS deliveries
           FROM event e ORDER BY e.seq`,
        )
        .all(),
    subscriptions: () =>
      column<string>("SELECT json_extract(settings, '$.events') FROM endpoint WHERE removed_at IS NULL").map(
        (events) => JSON.parse(events) as string[], // the store's own form
      ),
    openIntake: () => number("SELECT count(*) FROM intake WHERE state = 0"),
    pendingDeliveries: () => number("SELECT count(*) FROM delivery WHERE state < 2"),
    withCredentials: () =>
      new Set(column<string>("SELECT s.session_id FROM auth_creds c JOIN session s ON s.id = c.session")),
    sharedNumbers: () =>
      column<string>(
        "SELECT phone_number FROM session WHERE phone_number IS NOT NULL GROUP BY 1 HAVING count(*) > 1",
      ),
  };
}
