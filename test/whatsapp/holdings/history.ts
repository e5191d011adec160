/**
 * What the phone hands to a new companion, in WhatsApp's order: the app state key, INITIAL_BOOTSTRAP (all chats, their newest
 * messages, LIDs), PUSH_NAME, RECENT in chunks up to progress 100, FULL. Read by Baileys rc14 in history.js.
 */
import { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import { appStateKeyShare } from "../crypto/app-state.ts";
import { packHistory } from "../crypto/history.ts";
import { contentOf, type ContentContext } from "../mail/content.ts";
import { messageSpec } from "../mail/message-spec.ts";
import { sendPeerMessage } from "../mail/phone.ts";
import type { Account, HistorySource } from "../state/account.ts";
import type { Companion } from "../state/companion.ts";
import { addressOf, type Person } from "../state/people.ts";
import { groupJid, lidJid, pnJid } from "../wire/jid.ts";
import type { World } from "../world.ts";
import type { Dataset, DatasetChat, DatasetMessage } from "./dataset.ts";

const { HistorySyncType } = proto.HistorySync;
const { Status } = proto.WebMessageInfo;

const {
  COMPLETE_BUT_MORE_MESSAGES_REMAIN_ON_PRIMARY: BUT_MORE,
  COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY: NO_MORE,
  COMPLETE_ON_DEMAND_SYNC_BUT_MORE_MSG_REMAIN_ON_PRIMARY: ON_DEMAND_BUT_MORE,
} = proto.Conversation.EndOfHistoryTransferType;
/** What the phone says of what it has beyond the messages it sends. */
const Ends = { BUT_MORE, NO_MORE, ON_DEMAND_BUT_MORE };

/** How many of a chat's newest messages come with the first chunk. */
const BOOTSTRAP_MESSAGES = 2;

/** Messages of one chat that travel in one chunk. */
interface Share {
  chat: DatasetChat;
  messages: DatasetMessage[];
}

export function createHistory(dataset: Dataset, account: Account, world: World): HistorySource {
  const jidOf = (chat: DatasetChat): string => chatJid(chat, account, world);
  return {
    contacts: dataset.contacts.length,
    chats: dataset.chats.length,
    messages: sum(dataset.chats.map(({ messages }) => messages.length)),
    sendTo(companion, chosen) {
      if (!chosen) sendPeerMessage(companion, appStateKeyShare([account.appState.key]), world);
      for (const chunk of inOrder(chunks(dataset, account, world), chosen))
        sendChunk(companion, chunk, world);
    },
    sendBefore(companion, { chatJid: jid, messageId, count }) {
      const person = world.people.find(jid);
      const chat = dataset.chats.find(
        (one) => jidOf(one) === jid || ("pn" in one.with && one.with.pn === person?.pn),
      );
      if (!chat) return;
      const all = [...chat.messages, ...chat.archive];
      const start = all.findIndex(({ id }) => id === messageId) + 1;
      const share = { chat, messages: all.slice(start, start + count) };
      const end = start + count < all.length ? Ends.ON_DEMAND_BUT_MORE : Ends.NO_MORE;
      const conversations = [
        { ...conversation(share, account, dataset, world), endOfHistoryTransferType: end },
      ];
      sendChunk(
        companion,
        { syncType: HistorySyncType.ON_DEMAND, chunkOrder: 1, progress: 100, conversations },
        world,
      );
    },
    view: () => dataset.chats.map((chat) => ({ jid: jidOf(chat), messages: chat.messages })),
  };
}

function inOrder(
  all: Iterable<proto.IHistorySync>,
  chosen: number[] | undefined,
): Iterable<proto.IHistorySync> {
  if (!chosen) return all;
  const list = [...all];
  return chosen.flatMap((index) => list[index] ?? []);
}

function sendChunk(companion: Companion, chunk: proto.IHistorySync, world: World): void {
  const directPath = companion.account.options.history === "download" ? world.media.newPath() : undefined;
  const { message, blob } = packHistory(chunk, directPath === undefined ? {} : { directPath });
  if (blob) world.media.putBlob(blob.directPath, blob.ciphertext);
  sendPeerMessage(companion, message, world);
}

const chatJid = (chat: DatasetChat, { options }: Account, { people }: Pick<World, "people">): string =>
  "pn" in chat.with ? addressOf(people.get(chat.with.pn), options.addressing) : groupJid(chat.with.group);

/** In a generator: one chunk at a time in memory. */
function* chunks(dataset: Dataset, account: Account, world: World): Generator<proto.IHistorySync> {
  const { chats, contacts, fullMessages } = dataset;
  const toProto = (shares: Share[]): proto.IConversation[] =>
    shares.map((share) => conversation(share, account, dataset, world));

  // Even for an empty account: a first login of Baileys waits up to 20 s for it.
  yield {
    syncType: HistorySyncType.INITIAL_BOOTSTRAP,
    chunkOrder: 1,
    progress: 0,
    conversations: toProto(
      chats.map((chat) => ({ chat, messages: chat.messages.slice(0, BOOTSTRAP_MESSAGES) })),
    ),
    phoneNumberToLidMappings: contacts.map(({ pn }) => ({
      pnJid: pnJid(pn),
      lidJid: lidJid(world.people.get(pn).lid),
    })),
  };
  if (contacts.length > 0)
    yield {
      syncType: HistorySyncType.PUSH_NAME,
      chunkOrder: 1,
      progress: 100,
      pushnames: contacts.map(({ pn, pushName }) => ({
        id: addressOf(world.people.get(pn), account.options.addressing),
        pushname: pushName,
      })),
    };
  if (chats.length === 0) return;

  const older = chats.map((chat) => ({ chat, messages: chat.messages.slice(BOOTSTRAP_MESSAGES) }));
  const total = sum(older.map(({ messages }) => messages.length));
  const recent = cutAfter(older, total - Math.min(fullMessages, total));
  yield* numbered(HistorySyncType.RECENT, split(recent.first, account.options.historyChunk), toProto);
  if (fullMessages > 0)
    yield* numbered(HistorySyncType.FULL, split(recent.rest, account.options.historyChunk), toProto);
}

function* numbered(
  syncType: proto.HistorySync.HistorySyncType,
  parts: Share[][],
  toProto: (shares: Share[]) => proto.IConversation[],
): Generator<proto.IHistorySync> {
  // Without anything to tell, progress 100 still has to be told.
  const all = parts.length > 0 ? parts : [[]];
  for (const [index, part] of all.entries())
    yield {
      syncType,
      chunkOrder: index + 1,
      progress: Math.round((100 * (index + 1)) / all.length),
      conversations: toProto(part),
    };
}

/** In chunks of so many messages; a chat may be spread over several. */
function split(shares: Share[], size: number): Share[][] {
  const parts: Share[][] = [];
  let rest = shares.filter(({ messages }) => messages.length > 0);
  while (rest.length > 0) {
    const cut = cutAfter(rest, size);
    parts.push(cut.first);
    rest = cut.rest;
  }
  return parts;
}

function cutAfter(shares: Share[], count: number): { first: Share[]; rest: Share[] } {
  const first: Share[] = [];
  const rest: Share[] = [];
  let left = count;
  for (const { chat, messages } of shares) {
    const taken = messages.slice(0, left);
    left -= taken.length;
    if (taken.length > 0) first.push({ chat, messages: taken });
    if (taken.length < messages.length) rest.push({ chat, messages: messages.slice(taken.length) });
  }
  return { first, rest };
}

function conversation(
  { chat, messages }: Share,
  account: Account,
  dataset: Dataset,
  world: World,
): proto.IConversation {
  const { addressing } = account.options;
  const shared = {
    messages: messages.map((message, index) => ({
      message: webMessage(message, chat, account, world),
      msgOrderId: messages.length - index,
    })),
    conversationTimestamp: chat.lastAt,
    lastMsgTimestamp: chat.lastAt,
    unreadCount: chat.unread,
    endOfHistoryTransferType: chat.archive.length > 0 ? Ends.BUT_MORE : Ends.NO_MORE,
  };
  if ("pn" in chat.with) {
    const person = world.people.get(chat.with.pn);
    const other = addressing === "lid" ? { pnJid: pnJid(person.pn) } : { lidJid: lidJid(person.lid) };
    return { id: addressOf(person, addressing), ...other, ...shared };
  }
  const { group: id } = chat.with;
  const group = dataset.groups.find((one) => one.id === id);
  return {
    id: groupJid(id),
    name: group?.subject ?? null,
    participant: [...(group?.members ?? []), account.number].map((pn) => ({
      userJid: addressOf(world.people.get(pn), addressing),
    })),
    ...shared,
  };
}

function webMessage(
  message: DatasetMessage,
  chat: DatasetChat,
  account: Account,
  world: World,
): proto.IWebMessageInfo {
  const { addressing } = account.options;
  const author = world.people.get(message.author);
  const inGroup = "group" in chat.with;
  const remoteJid =
    "pn" in chat.with ? addressOf(world.people.get(chat.with.pn), addressing) : groupJid(chat.with.group);
  return {
    key: {
      remoteJid,
      fromMe: message.fromMe,
      id: message.id,
      ...(inGroup ? { participant: addressOf(author, addressing) } : {}),
    },
    message: historyContent(message, author, world),
    messageTimestamp: message.at,
    ...(message.fromMe
      ? { status: Status.READ }
      : { pushName: author.pushName, status: Status.DELIVERY_ACK }),
    ...(inGroup && !message.fromMe ? { participant: addressOf(author, addressing) } : {}),
  };
}

/** Messages of the past refer to no others. */
const alone = (world: World): ContentContext => ({
  media: world.media,
  keyOf: ({ id }) => ({ id }),
  authorOf: () => "",
  mentionOf: (number) => pnJid(number),
});

function historyContent({ kind, text, id }: DatasetMessage, author: Person, world: World): proto.IMessage {
  switch (kind) {
    case "text":
      return { conversation: text };
    case "location":
      return contentOf(
        messageSpec.parse({ kind, latitude: 10.48, longitude: -66.9, name: text }),
        alone(world),
      ).message;
    case "document":
      return contentOf(
        messageSpec.parse({ kind, fileName: `${author.pn.slice(-4)}-${id.slice(-6)}.pdf`, caption: text }),
        alone(world),
      ).message;
    case "image":
      return contentOf(messageSpec.parse({ kind, caption: text }), alone(world)).message;
  }
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
