/** What an account's phone holds before anything is linked to it: address book, chats, groups, messages. Made up from a seed. */
import { createRandom, type SeededRandom } from "./random.ts";
import { FIRST_NAMES, GROUP_SUBJECTS, LAST_NAMES, SENTENCES } from "./words.ts";

export interface DatasetSize {
  /** Entries of the address book. Everybody who writes is one of them. */
  contacts: number;
  /** Chats, groups among them. */
  chats: number;
  /** Messages in all, to the last one. */
  messages: number;
  groups: number;
  /** Chats that hold messages; the others are older and only remembered. Left out: all of them. */
  activeChats?: number | undefined;
  /** Contacts with a profile picture. */
  pictures?: number | undefined;
  /** Of the messages, those that come as FULL history (which Baileys leaves out by default). */
  fullMessages?: number | undefined;
  /** Per active chat: still older messages, which are handed over only when a device asks for them. */
  archivedPerChat?: number | undefined;
  /** Each that many-th message is an image, document, … (0: only text). */
  mediaEvery?: number | undefined;
}

export interface DatasetContact {
  pn: string;
  name: string;
  pushName: string;
  picture: boolean;
}
export interface DatasetGroup {
  id: string;
  subject: string;
  /** Numbers; the account itself is a member too. */
  owner: string;
  members: string[];
}
export interface DatasetMessage {
  id: string;
  /** Unix seconds. */
  at: number;
  fromMe: boolean;
  /** Number of who wrote it. */
  author: string;
  kind: "text" | "image" | "document" | "location";
  text: string;
}
export interface DatasetChat {
  with: { pn: string } | { group: string };
  /** Newest first, as a phone hands them over. */
  messages: DatasetMessage[];
  /** Older than all of them, newest first. */
  archive: DatasetMessage[];
  lastAt: number;
  unread: number;
}
export interface Dataset {
  contacts: DatasetContact[];
  groups: DatasetGroup[];
  chats: DatasetChat[];
  fullMessages: number;
}

export const PRESETS = {
  /** A number that has just been registered. */
  empty: { contacts: 0, chats: 0, messages: 0, groups: 0 },
  small: { contacts: 5, chats: 4, messages: 20, groups: 1, pictures: 2, mediaEvery: 7 },
  /**
   * The account that a CRM took 153 seconds to take over: 327 contacts, 45 chats, 985 messages. It took 50 messages of each of
   * 20 chats at most, so they lie in 20 chats.
   */
  mission: {
    contacts: 327,
    chats: 45,
    messages: 985,
    groups: 5,
    activeChats: 20,
    pictures: 40,
    mediaEvery: 25,
  },
  large: { contacts: 1000, chats: 100, messages: 5000, groups: 10, pictures: 100, mediaEvery: 50 },
  huge: { contacts: 5000, chats: 500, messages: 40_000, groups: 50 },
} as const satisfies Record<string, DatasetSize>;
export type PresetName = keyof typeof PRESETS;

const MINUTE = 60;
const HOUR = 3600;

export interface DatasetRequest {
  seed: string;
  /** The account's number: contacts' numbers derive from it, so that two accounts do not share theirs. */
  number: string;
  size: DatasetSize;
  /** Unix seconds of the newest message. */
  until: number;
}

export function makeDataset({ seed, number, size, until }: DatasetRequest): Dataset {
  if (size.groups > size.chats) throw new Error("groups are chats: there cannot be more of them");
  if (size.contacts < size.chats - size.groups) throw new Error("each chat that is no group needs a contact");
  const random = createRandom(`${seed} ${number}`);
  const contacts = makeContacts(size, number);
  const groups = makeGroups(size, number, contacts, random);
  const active = size.messages === 0 ? 0 : Math.min(size.activeChats ?? size.chats, size.chats);
  if (size.messages > 0 && active === 0) throw new Error("messages need a chat");
  const chats = partners(size, contacts, groups).map((partner, index): DatasetChat => {
    const lastAt = until - index * 37 * MINUTE - (index < active ? 0 : 90 * 24 * HOUR);
    const count = index < active ? shareOf(size.messages, active, index) : 0;
    const plan = { partner, count, lastAt, number, groups, mediaEvery: size.mediaEvery ?? 0 };
    const messages = makeMessages(plan, random);
    const older = { ...plan, lastAt: (messages.at(-1)?.at ?? lastAt) - 24 * HOUR };
    const archived = index < active ? (size.archivedPerChat ?? 0) : 0;
    return {
      with: partner,
      messages,
      // From a seed of its own: with or without an archive, the rest of the account stays the same.
      archive: makeMessages(
        { ...older, count: archived },
        createRandom(`${seed} ${number} archive ${index}`),
      ),
      lastAt,
      unread: index % 4 === 0 && count > 0 ? Math.min(count, 2) : 0,
    };
  });
  return { contacts, groups, chats, fullMessages: size.fullMessages ?? 0 };
}

function makeContacts({ contacts, pictures = 0 }: DatasetSize, number: string): DatasetContact[] {
  const prefix = `9991${number.slice(-4).padStart(4, "0")}`;
  return Array.from({ length: contacts }, (_, index) => {
    const first = FIRST_NAMES[index % FIRST_NAMES.length] ?? "";
    const round = Math.floor(index / FIRST_NAMES.length);
    const last = LAST_NAMES[(index + 2 * round) % LAST_NAMES.length] ?? "";
    const suffix =
      index < FIRST_NAMES.length * LAST_NAMES.length
        ? ""
        : ` ${Math.floor(index / (FIRST_NAMES.length * LAST_NAMES.length)) + 1}`;
    return {
      pn: `${prefix}${String(index + 1).padStart(5, "0")}`,
      name: `${first} ${last}${suffix}`,
      pushName: first,
      picture: index < pictures,
    };
  });
}

function makeGroups(
  { groups }: DatasetSize,
  number: string,
  contacts: DatasetContact[],
  random: SeededRandom,
): DatasetGroup[] {
  return Array.from({ length: groups }, (_, index) => {
    const subject = GROUP_SUBJECTS[index % GROUP_SUBJECTS.length] ?? "";
    const members = new Set<string>();
    const wanted = Math.min(contacts.length, 3 + random.int(5));
    while (members.size < wanted) members.add(random.pick(contacts).pn);
    return {
      id: `1203630${number.slice(-6).padStart(6, "0")}${String(index + 1).padStart(5, "0")}`,
      subject: index < GROUP_SUBJECTS.length ? subject : `${subject} ${index + 1}`,
      owner: [...members][0] ?? number,
      members: [...members],
    };
  });
}

/** Groups lie between the others, so that some are among the active chats. */
function partners(
  { chats }: DatasetSize,
  contacts: DatasetContact[],
  groups: DatasetGroup[],
): DatasetChat["with"][] {
  const every = groups.length === 0 ? Infinity : Math.max(2, Math.floor(chats / groups.length) - 1);
  const list: DatasetChat["with"][] = [];
  let nextGroup = 0;
  let nextContact = 0;
  while (list.length < chats) {
    const group = groups[nextGroup];
    const contact = contacts[nextContact];
    if (
      group &&
      (list.length % every === every - 1 || !contact || chats - list.length <= groups.length - nextGroup)
    ) {
      list.push({ group: group.id });
      nextGroup++;
    } else if (contact) {
      list.push({ pn: contact.pn });
      nextContact++;
    } else break;
  }
  return list;
}

/** Even shares whose sum is exact; the last one is the smallest. */
function shareOf(total: number, parts: number, index: number): number {
  const each = Math.ceil(total / parts);
  return Math.max(0, Math.min(each, total - index * each));
}

interface ChatPlan {
  partner: DatasetChat["with"];
  count: number;
  lastAt: number;
  number: string;
  groups: DatasetGroup[];
  mediaEvery: number;
}

function makeMessages(
  { partner, count, lastAt, number, groups, mediaEvery }: ChatPlan,
  random: SeededRandom,
): DatasetMessage[] {
  const authors =
    "pn" in partner ? [partner.pn] : (groups.find(({ id }) => id === partner.group)?.members ?? []);
  const kinds = ["image", "document", "location"] as const;
  let at = lastAt;
  return Array.from({ length: count }, (_, index) => {
    if (index > 0) at -= 2 * MINUTE + random.int(MINUTE);
    const fromMe = authors.length === 0 || random.int(3) === 0;
    const isMedia = mediaEvery > 0 && index % mediaEvery === mediaEvery - 1;
    return {
      id: `3A${random.hex(18)}`,
      at,
      fromMe,
      author: fromMe ? number : random.pick(authors),
      kind: isMedia ? random.pick(kinds) : "text",
      text: random.pick(SENTENCES),
    };
  });
}
