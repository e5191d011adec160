/** What the example receivers hold, shown to the suites under the names that an embedded CRM uses. */
import type Database from "better-sqlite3";
import type { DocumentReader } from "../../bridge/adapter.ts";

type Doc = Record<string, unknown>;

const word = (status: unknown): string =>
  String(status) === "qr_code"
    ? "QR Code Required"
    : String(status).charAt(0).toUpperCase() + String(status).slice(1);

const json = (value: unknown): unknown => (typeof value === "string" ? (JSON.parse(value) as unknown) : null);

const numberOf = (id: unknown): string => {
  const digits = /^(\d+)(?:@(?:c\.us|s\.whatsapp\.net))?$/.exec(String(id))?.[1];
  return digits === undefined ? String(id) : `+${digits}`;
};

const isReactions = (value: unknown): value is { emoji: string; at: number }[] => Array.isArray(value);

function latestReaction(value: unknown): string | null {
  const reactions = json(value);
  if (!isReactions(reactions)) return null;
  const standing = reactions.filter(({ emoji }) => emoji !== "").sort((a, b) => a.at - b.at);
  return standing.at(-1)?.emoji ?? null;
}

export function crmDocuments(db: Database.Database, table: (name: string) => string): DocumentReader {
  // Rows of one's own tables; what is in them is looked at below.
  const rows = (name: string): Doc[] => db.prepare(`SELECT * FROM ${table(name)} ORDER BY id`).all() as Doc[];
  const chatIds = (): Map<unknown, Doc> => new Map(rows("chat").map((row) => [row["id"], row]));

  const messages = (): Doc[] => {
    const chats = chatIds();
    const all = rows("message");
    return all.map((row) => ({
      ...row,
      name: String(row["id"]),
      session: row["session_id"],
      direction: row["from_me"] === 1 ? "Outgoing" : "Incoming",
      message_type: row["type"],
      status: word(row["status"]),
      sent_at: row["from_me"] === 1 ? String(row["timestamp"]) : null,
      from_number: numberOf(row["sender"]),
      has_media: json(row["media"]) === null ? 0 : 1,
      has_reaction: latestReaction(row["reactions"]) === null ? 0 : 1,
      reaction: latestReaction(row["reactions"]),
      quoted_message: quoted(all, row),
      chat: chats.get(row["chat_id"])?.["chat_id"],
    }));
  };

  const quoted = (all: Doc[], { quoted_message_id: id, chat_id: chat }: Doc): string | null => {
    const found = all.find((row) => id !== null && row["message_id"] === id && row["chat_id"] === chat);
    return found === undefined ? null : String(found["id"]);
  };

  const shown: Record<string, () => Doc[]> = {
    "WhatsApp Session": () =>
      rows("session").map((row) => ({
        ...row,
        name: String(row["id"]),
        status: word(row["status"]),
        session_db_id: row["hub_id"],
        error_code: (json(row["reason"]) as { code?: string } | null)?.code ?? null,
      })),
    "WhatsApp Contact": () =>
      rows("contact").map((row) => ({
        ...row,
        name: String(row["id"]),
        session: row["session_id"],
        contact_name: row["name"],
        phone_number: row["phone"],
      })),
    "WhatsApp Conversation": () =>
      rows("chat").map((row) => ({
        ...row,
        name: String(row["id"]),
        session: row["session_id"],
        contact: typeof row["contact_id"] === "number" ? String(row["contact_id"]) : null,
        contact_name: row["name"],
        is_archived: row["archived"],
        last_message: row["last_message_text"],
        last_remote_message_id: row["last_message_id"],
      })),
    "WhatsApp Message": messages,
    "WhatsApp Message Media": () =>
      rows("message").flatMap((row) => {
        const media = json(row["media"]);
        if (typeof media !== "object" || media === null || !("mediaId" in media)) return [];
        return [{ ...media, media_type: row["type"], remote_media_id: media.mediaId }];
      }),
  };
  const list: DocumentReader["list"] = ({ doctype, filters }) =>
    Promise.resolve(
      (shown[doctype]?.() ?? []).filter((doc) => filters.every(([field, , value]) => doc[field] === value)),
    );
  return {
    doctypes: Object.keys(shown),
    list,
    count: async (query) =>
      (await list({ ...query, fields: ["*"], orderBy: [], start: 0, limit: 1000 })).length,
    get: async (doctype, name) =>
      (
        await list({
          doctype,
          fields: ["*"],
          filters: [["name", "=", name]],
          orderBy: [],
          start: 0,
          limit: 1,
        })
      )[0] ?? {},
  };
}
