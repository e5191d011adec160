/** Messages go with all that is kept of them; their chat stays, and knows how many went and who had written. */
import type { Engine } from "../engine.ts";
import { bit, toJson } from "../json.ts";
import { statusNumber } from "./message-rows.ts";

/** A message, as far as its chat is told of it when it goes. */
export interface GoingRow {
  n: number;
  chat: number;
  from_me: number;
  status: number;
}

/** What a chat is told of its messages that go. */
interface Parting {
  chat: number;
  removed: number;
  heard: number;
  written: number;
}

/** Part of the caller's transaction. Their files' ids are kept until the bytes are gone as well, see `MediaStore.left`. */
export type RemoveMessages = (going: GoingRow[]) => void;

/** Name of the row that is there, with another value each time, while words of theirs still stand in the index of search. */
export const WORDS_LEFT = "words_left";

const GONE = "(SELECT value FROM json_each(?))";

/** Messages of these numbers with all that is kept of them; nobody is told. */
export function createDropMessages({ db }: Engine): (numbers: number[]) => void {
  const partsOf = [
    `INSERT OR IGNORE INTO media_left SELECT media_id FROM media WHERE message IN ${GONE}`,
    `DELETE FROM media_token WHERE media_id IN (SELECT media_id FROM media WHERE message IN ${GONE})`,
    `DELETE FROM media WHERE message IN ${GONE}`,
    `DELETE FROM message_raw WHERE message IN ${GONE}`,
    `DELETE FROM early_change WHERE n IN (SELECT e.n FROM json_each(?) JOIN message m ON m.n = value
       JOIN chat c ON c.id = m.chat JOIN early_change e ON e.session = m.session AND e.chat = c.jid AND e.id = m.id)`,
    `DELETE FROM message WHERE n IN ${GONE}`,
  ].map((sql) => db.prepare<[string]>(sql));
  const leaveWords = db.prepare(
    `INSERT INTO meta(key, value) VALUES('${WORDS_LEFT}', '1') ON CONFLICT(key) DO UPDATE SET value = CAST(value + 1 AS TEXT)`,
  );

  return (numbers) => {
    if (numbers.length > 0) leaveWords.run();
    const list = toJson(numbers);
    for (const remove of partsOf) remove.run(list);
  };
}

/** Of a chat whose last message is gone. Its number is given again: a chat must not show what is somebody else's by then. */
export function createShowLast({ db }: Engine): (chat: number) => void {
  const showLast = db.prepare<[{ chat: number }]>(
    `UPDATE chat SET last_message = (SELECT n FROM message WHERE chat = @chat ORDER BY ts DESC, n DESC LIMIT 1),
       last_ts = coalesce((SELECT ts FROM message WHERE chat = @chat ORDER BY ts DESC, n DESC LIMIT 1), 0)
     WHERE id = @chat AND NOT EXISTS(SELECT 1 FROM message WHERE n = chat.last_message)`,
  );
  return (chat) => {
    showLast.run({ chat });
  };
}

export function createRemoveMessages(engine: Engine): RemoveMessages {
  const { db } = engine;
  const drop = createDropMessages(engine);
  const showLast = createShowLast(engine);
  const part = db.prepare<[Parting]>(
    `UPDATE chat SET removed_count = removed_count + @removed, heard = max(heard, @heard), written = max(written, @written)
     WHERE id = @chat`,
  );

  return (going) => {
    drop(going.map(({ n }) => n));
    for (const parting of partingsOf(going)) {
      part.run(parting);
      showLast(parting.chat);
    }
  };
}

/** As long as a message is there, it says itself who wrote. */
function partingsOf(going: GoingRow[]): Iterable<Parting> {
  const chats = new Map<number, Parting>();
  for (const { chat, from_me, status } of going) {
    const parting = chats.get(chat) ?? { chat, removed: 0, heard: 0, written: 0 };
    const left = from_me === 1 && status !== statusNumber("failed");
    chats.set(chat, {
      chat,
      removed: parting.removed + 1,
      heard: Math.max(parting.heard, bit(from_me === 0)),
      written: Math.max(parting.written, bit(left)),
    });
  }
  return chats.values();
}
