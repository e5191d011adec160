/**
 * The CRM in SQLite ends like the one in memory, whatever comes together. One keeps the chats of a transaction in hand and takes it
 * back as a whole where a record is refused; the other does nothing of the kind.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { CrmAdapter, WriteResult } from "../../bridge/adapter.ts";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { openSqliteAdapter } from "../../bridge/adapters/sqlite/sqlite-adapter.ts";
import type { MessageChange } from "../../bridge/records.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { createRandom, type SeededRandom } from "../whatsapp/holdings/random.ts";
import { aChat, aContact, aMessage, aSessionRecord, GROUP, NOW } from "./crm/records.ts";

const SESSION = "s1";
/** A person's chat moves to the number once, so that there must be some of them; few are written about at a time. */
const PEOPLE = Array.from({ length: 40 }, (_, n) => String(34600111000 + n));
const AT_A_TIME = 3;
const numbered = (person: string): string => `${person}@c.us`;
const hidden = (person: string): string => `9${person}@lid`;
const idsOf = (people: string[]): string[] => people.flatMap((person) => [numbered(person), hidden(person)]);
/** Longer than a column: the record is refused. */
const REFUSED = "X".repeat(200);
const ROUNDS = 150;

const root = mkdtempSync(join(tmpdir(), "bridge-crm-random-"));
afterAll(() => rmSync(root, { recursive: true }));

type Write = (adapter: CrmAdapter) => Promise<WriteResult | WriteResult[]>;

function anyMessage(random: SeededRandom, ids: string[]) {
  const chatId = random.pick([...ids, GROUP]);
  const fromMe = random.int(2) === 0;
  return aMessage({
    messageId: random.int(15) === 0 ? REFUSED : `M${random.int(40)}`,
    chatId,
    fromMe,
    participant: chatId === GROUP && !fromMe ? random.pick(ids) : null,
    timestamp: NOW + random.int(1000),
    content: `text ${random.int(1000)}`,
    quotedMessageId: random.int(4) === 0 ? `M${random.int(40)}` : null,
    editedAt: random.int(6) === 0 ? NOW + random.int(2000) : null,
    reactions:
      random.int(5) === 0
        ? [{ from: random.pick(ids), emoji: random.pick(["👍", "❤️"]), timestamp: NOW }]
        : [],
  });
}

function anyChange(random: SeededRandom, ids: string[]): MessageChange {
  const name = { chatId: random.pick([...ids, GROUP]), messageId: `M${random.int(40)}` };
  const at = NOW + random.int(2000);
  return random.pick<MessageChange>([
    {
      ...name,
      fromMe: true,
      kind: "status",
      status: random.pick(["sent", "delivered", "read"]),
      at,
      error: null,
    },
    { ...name, kind: "edit", content: `edited ${random.int(1000)}`, at },
    { ...name, kind: "deletion", at },
    { ...name, kind: "reaction", from: random.pick(ids), emoji: random.pick(["", "👍", "😂"]), at },
  ]);
}

function anyWrite(
  random: SeededRandom,
  people: string[],
  { position, size }: { position: number; size: number },
): Write {
  const ids = idsOf(people);
  const several = <T>(one: () => T): T[] => Array.from({ length: size }, one);
  const batch = <T>(items: T[]) => ({ sessionId: SESSION, position, items });
  const writes: (() => Write)[] = [
    () => {
      const items = several(() => anyMessage(random, ids));
      return (adapter) => adapter.upsertMessages(batch(items));
    },
    () => {
      const items = several(() => anyChange(random, ids));
      return (adapter) => adapter.changeMessages(batch(items));
    },
    () => {
      const items = several(() =>
        aChat({
          chatId: random.pick([...ids, GROUP]),
          name: `Chat ${random.int(9)}`,
          totalMessages: random.int(50),
        }),
      );
      return (adapter) => adapter.upsertChats(batch(items));
    },
    () => {
      const items = several(() => {
        const person = random.pick(people);
        const lid = random.int(2) === 0 ? hidden(person) : null;
        return aContact({
          id: random.pick([numbered(person), hidden(person)]),
          name: `Name ${random.int(9)}`,
          lid,
        });
      });
      return (adapter) => adapter.upsertContacts(batch(items));
    },
  ];
  if (size === 1 && random.int(3) === 0) {
    const person = random.pick(people);
    const merge = { sessionId: SESSION, from: hidden(person), into: numbered(person), position };
    return (adapter) => adapter.mergeContact(merge);
  }
  // Most of what a CRM is told is messages.
  return (random.int(2) === 0 ? writes[0] : random.pick(writes))?.() ?? (() => Promise.resolve([]));
}

async function allOf({ documents }: CrmAdapter): Promise<Record<string, unknown>> {
  if (documents === undefined) throw new Error("an embedded CRM has documents");
  const query = { fields: ["*"], filters: [], orderBy: [], start: 0, limit: 10_000 };
  const all = documents.doctypes.map(async (doctype) => {
    const list = await documents.list({ ...query, doctype, orderBy: [{ field: "name", direction: "asc" }] });
    return [doctype, list];
  });
  return Object.fromEntries(await Promise.all(all)) as Record<string, unknown>;
}

test.each([1, 2, 3, 4])("random writes, run %i", async (run) => {
  const seed = `${Date.now()} ${run}`;
  console.log(`seed ${seed}`);
  const random = createRandom(seed);
  const memory = createMemoryAdapter({ clock: fixedClock() });
  const sqlite = await openSqliteAdapter({ file: join(root, `${run}.db`), clock: fixedClock() });
  const both = [memory, sqlite];
  for (const adapter of both) await adapter.upsertSession(aSessionRecord(), 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    // Of one size: the shortest would be written first.
    const size = 1 + random.int(6);
    const first = random.int(PEOPLE.length - AT_A_TIME + 1);
    const people = PEOPLE.slice(first, first + AT_A_TIME);
    const writes = Array.from({ length: 1 + random.int(5) }, (_, n) =>
      anyWrite(random, people, { position: 10 * round + n - random.int(30), size }),
    );
    // Together, which SQLite takes for one transaction.
    const [inMemory, inSqlite] = await Promise.all(
      both.map((adapter) => Promise.all(writes.map((write) => write(adapter)))),
    );
    expect(inSqlite, `answers of round ${round}, seed ${seed}`).toEqual(inMemory);
    expect(await allOf(sqlite), `after round ${round}, seed ${seed}`).toEqual(await allOf(memory));
  }
  await sqlite.close();
});
