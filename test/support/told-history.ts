/**
 * What a hub might tell of accounts that know the same people, in a random order: each telling shows the hub as it was at its
 * position, and comes earlier or later than its turn, or twice.
 */
import type { Batch, CrmAdapter } from "../../bridge/adapter.ts";
import type { Message, MessageChange } from "../../bridge/records.ts";
import { aChat, aContact, aMessage, NOW, withLast } from "../conformance/crm/records.ts";
import { createRandom, type SeededRandom } from "../whatsapp/holdings/random.ts";

export interface Telling {
  what: string;
  tell(adapter: CrmAdapter): Promise<unknown>;
}

export const PEOPLE = [1, 2, 3].map((n) => ({ phone: `3460000000${n}@c.us`, lid: `9876543210${n}@lid` }));
const GROUPS = ["120363000000000001@g.us", "120363000000000002@g.us"];
/** How far a telling may come from its turn. */
const FAR = 8;

type Person = (typeof PEOPLE)[number];
interface Said {
  chat: Person | string;
  author: Person | null;
  message: Message;
}

/** An account as the hub has it. */
interface Account {
  sessionId: string;
  /** Hidden ids that have their number. */
  known: Set<Person>;
  said: Said[];
}

export function randomHistory(
  seed: string,
  { length, sessions }: { length: number; sessions: string[] },
): Telling[] {
  const random = createRandom(seed);
  const accounts = sessions.map((sessionId): Account => ({ sessionId, known: new Set(), said: [] }));
  const tellings: Telling[] = [];
  for (let position = 1; position <= length; position += 1) {
    const made = step(random, random.pick(accounts), position);
    tellings.push(...made, ...(random.int(5) === 0 ? made : []));
  }
  return tellings
    .map((telling, turn) => ({ telling, at: turn + random.int(FAR) }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ telling }) => telling);
}

/** The hub at a moment, and how it names people and messages then. */
interface Scene {
  random: SeededRandom;
  account: Account;
  position: number;
  idOf(person: Person): string;
  chatIdOf(chat: Person | string): string;
  whole(said: Said): Message;
  batch<T>(items: T[]): Batch<T>;
}

type Told = Telling | null;

function step(random: SeededRandom, account: Account, position: number): Telling[] {
  const { sessionId, known } = account;
  const idOf = (person: Person): string => (known.has(person) ? person.phone : person.lid);
  const chatIdOf = (chat: Person | string): string => (typeof chat === "string" ? chat : idOf(chat));
  const whole = ({ chat, author, message }: Said): Message => ({
    ...message,
    chatId: chatIdOf(chat),
    from: author === null ? message.from : idOf(author),
    to: message.fromMe ? chatIdOf(chat) : message.to,
    participant: author === null || typeof chat !== "string" ? null : idOf(author),
  });
  const batch = <T>(items: T[]): Batch<T> => ({ sessionId, position, items });
  const told = random.pick(KINDS)({ random, account, position, idOf, chatIdOf, whole, batch });
  return told === null ? [] : [{ ...told, what: `${position} ${sessionId} ${told.what}` }];
}

function contactTold({ random, account, position, idOf, batch }: Scene): Told {
  const person = random.pick(PEOPLE);
  const namesLid = account.known.has(person) && random.int(2) === 0;
  const contact = aContact({
    id: idOf(person),
    name: `N${position}`,
    lid: namesLid ? person.lid : null,
  });
  const what = `contact ${contact.id} ${contact.lid}`;
  return { what, tell: (adapter) => adapter.upsertContacts(batch([contact])) };
}

function mergeTold({ random, account: { sessionId, known }, position }: Scene): Told {
  const person = random.pick(PEOPLE);
  if (known.has(person)) return null;
  known.add(person);
  const merge = { sessionId, from: person.lid, into: person.phone, position };
  return { what: `merge ${merge.from} ${merge.into}`, tell: (adapter) => adapter.mergeContact(merge) };
}

function chatTold({ random, account, position, chatIdOf, whole, batch }: Scene): Told {
  const chat = random.pick([...PEOPLE, ...GROUPS]);
  const said = account.said.filter((each) => each.chat === chat).map(whole);
  const last = said.toSorted((one, other) => one.timestamp - other.timestamp).at(-1);
  const told = aChat({
    chatId: chatIdOf(chat),
    name: `C${position}`,
    unreadCount: random.int(5),
    totalMessages: said.length,
    archived: random.int(2) === 0,
    ...(last === undefined ? {} : withLast(last)),
  });
  return { what: `chat ${told.chatId}`, tell: (adapter) => adapter.upsertChats(batch([told])) };
}

function messageTold({ random, account: { said }, position, chatIdOf, whole, batch }: Scene): Told {
  const chat = random.pick([...PEOPLE, ...GROUPS]);
  const isGroup = typeof chat === "string";
  const fromMe = random.int(3) === 0;
  const author = isGroup ? random.pick(PEOPLE) : chat;
  const before = said.filter((each) => each.chat === chat);
  const isAnswer = before.length > 0 && random.int(4) === 0;
  const made: Said = {
    chat,
    author: fromMe ? null : author,
    message: aMessage({
      // Both accounts are in the groups, and several messages there have one id.
      messageId: isGroup ? `G${position % 7}${chat.slice(-6, -5)}` : `M${position}`,
      fromMe,
      isGroup,
      chatId: chatIdOf(chat),
      content: `T${position}`,
      timestamp: NOW + position,
      quotedMessageId: isAnswer ? random.pick(before).message.messageId : null,
    }),
  };
  if (said.some((each) => isSame(each, made))) return null;
  said.push(made);
  const message = whole(made);
  return { what: `message ${nameOf(message)}`, tell: (adapter) => adapter.upsertMessages(batch([message])) };
}

function againTold({ random, account: { said }, whole, batch }: Scene): Told {
  if (said.length === 0) return null;
  const held = random.pick(said);
  held.message = { ...held.message, isStarred: random.int(2) === 0 };
  const message = whole(held);
  return { what: `again ${nameOf(message)}`, tell: (adapter) => adapter.upsertMessages(batch([message])) };
}

function changeTold({ random, account: { said }, position, idOf, whole, batch }: Scene): Told {
  if (said.length === 0) return null;
  const held = random.pick(said);
  const change = changed(random, held, { position, idOf });
  if (change === null) return null;
  const { chatId, messageId, fromMe, participant } = whole(held);
  const told = { chatId, messageId, fromMe, participant, ...change };
  const what = `${told.kind} ${nameOf(told)} ${JSON.stringify(change)}`;
  return { what, tell: (adapter) => adapter.changeMessages(batch([told])) };
}

/** As often as each is here. */
const KINDS = [
  ...[contactTold, mergeTold, chatTold, againTold],
  ...[messageTold, messageTold, messageTold],
  ...[changeTold, changeTold, changeTold],
];

type Change = MessageChange extends infer C
  ? C extends unknown
    ? Omit<C, "chatId" | "messageId" | "fromMe" | "participant">
    : never
  : never;

/** What happens to a message, in the hub as well. */
function changed(
  random: SeededRandom,
  held: Said,
  { position, idOf }: { position: number; idOf: (person: Person) => string },
): Change | null {
  const { message } = held;
  const at = NOW + position;
  if (message.deletedAt !== null) return null;
  switch (random.int(4)) {
    case 0: {
      if (!message.fromMe) return null;
      const status = message.status === "sent" ? "delivered" : "read";
      held.message = { ...message, status };
      return { kind: "status", status, at, error: null };
    }
    case 1:
      held.message = { ...message, content: `E${position}`, body: `E${position}`, editedAt: at };
      return { kind: "edit", content: `E${position}`, at };
    case 2:
      if (random.int(3) > 0) return null;
      held.message = { ...message, status: "deleted", deletedAt: at };
      return { kind: "deletion", at };
    default: {
      const from = idOf(random.pick(PEOPLE));
      const emoji = random.pick(["👍", "❤️", ""]);
      const others = message.reactions.filter((one) => one.from !== from);
      held.message = {
        ...message,
        reactions: emoji === "" ? others : [...others, { from, emoji, timestamp: at }],
      };
      return { kind: "reaction", from, emoji, at };
    }
  }
}

const isSame = (one: Said, other: Said): boolean =>
  one.chat === other.chat &&
  one.author === other.author &&
  one.message.messageId === other.message.messageId &&
  one.message.fromMe === other.message.fromMe;

const nameOf = ({
  chatId,
  messageId,
  fromMe,
  participant,
}: Pick<Message, "chatId" | "messageId"> & { fromMe?: boolean; participant?: string | null }): string =>
  [chatId, messageId, fromMe === true ? "ours" : (participant ?? "theirs")].join(" ");
