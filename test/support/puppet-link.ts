/** A WhatsApp connection that tests play: it remembers what was sent, and answers as it is told. */
import type { Readable } from "node:stream";
import { setImmediate as immediate } from "node:timers/promises";
import { HubError } from "../../hub/core/errors.ts";
import type { Fact } from "../../hub/core/facts.ts";
import type {
  AccountRestriction,
  ChatOrder,
  NewChatAllowance,
  SendOrder,
  TypingState,
  WhatsAppKey,
  WhatsAppLink,
} from "../../hub/core/whatsapp.ts";
import { T0_SECONDS, unique } from "./builders.ts";
import { createPuppetPulse } from "./puppet-pulse.ts";

export type PuppetOrder = { chatId: string } & (
  | ChatOrder
  | { kind: "typing"; state: TypingState }
  | { kind: "block"; value: boolean }
  | { kind: "history"; before: string; count: number }
);

export interface PuppetLink {
  /** What the hub asks for a session's connection. */
  link(sessionId: string): WhatsAppLink;
  /** In the order in which they left. */
  sent: SendOrder[];
  readKeys: WhatsAppKey[];
  /** What was asked of chats and people, in order. */
  orders: PuppetOrder[];
  /** How many times each question was asked. */
  asked: { lookUp: number; picture: number; about: number; download: number };
  /** Lost; `recovering` while the session still counts as connected. */
  goesAway(options?: { recovering: boolean }): void;
  comesBack(): void;
  /** What happens when something is sent; the message counts as sent when this resolves. */
  onSend: (order: SendOrder) => Promise<void> | void;
  /** WhatsApp's word on what was sent: taken, refused with a code, or none at all. */
  word: "taken" | "none" | { code: string };
  /** Numbers that are not on WhatsApp. */
  unknownNumbers: Set<string>;
  pictureUrl: string | null;
  about: string | null;
  /** How WhatsApp says that the account stands. */
  restriction: AccountRestriction;
  allowance: NewChatAllowance;
  /** Bytes of received media, by message id; a missing one is gone at WhatsApp. */
  media: Map<string, () => Readable>;
  /** Resolves when every word of WhatsApp that is due was spoken. */
  idle(): Promise<void>;
  /** Speaks WhatsApp's word on a message by hand. */
  says(order: SendOrder, word: "taken" | { code: string }): Promise<void>;
}

export function createPuppetLink(record: (sessionId: string, facts: Fact[]) => Promise<unknown>): PuppetLink {
  let current: WhatsAppLink | null = null;
  const speaking: Promise<void>[] = [];

  let isRecovering = false;
  const away = (): HubError =>
    new HubError("SESSION_NOT_CONNECTED", "The session is not connected.", { details: { isRecovering } });

  const connect = (): WhatsAppLink => {
    const life: WhatsAppLink = {
      requestPairingCode: () => Promise.resolve("ABCD1234"),
      send: async (order) => {
        if (current !== life) throw away();
        await puppet.onSend(order);
        // Life may have ended while the message was on its way.
        if ((current as WhatsAppLink | null) !== life) throw away();
        puppet.sent.push(order);
        if (puppet.word !== "none") {
          const { word } = puppet;
          speaking.push(immediate().then(() => puppet.says(order, word)));
        }
        return { raw: null, media: null };
      },
      markRead: (keys) => {
        puppet.readKeys.push(...keys);
        return Promise.resolve();
      },
      changeChat: (chatId, order) => {
        puppet.orders.push({ chatId, ...order });
        return Promise.resolve();
      },
      showTyping: (chatId, state) => {
        puppet.orders.push({ chatId, kind: "typing", state });
        return Promise.resolve();
      },
      block: (chatId, value) => {
        puppet.orders.push({ chatId, kind: "block", value });
        return Promise.resolve();
      },
      requestHistory: (before, count) => {
        puppet.orders.push({ chatId: before.chatId, kind: "history", before: before.id, count });
        return Promise.resolve();
      },
      downloadMedia: (message) => {
        puppet.asked.download++;
        const open = puppet.media.get(message.id);
        if (open !== undefined) return Promise.resolve(open());
        return Promise.reject(new HubError("MEDIA_NOT_FOUND", "WhatsApp no longer has this file."));
      },
      lookUp: (phone) => {
        puppet.asked.lookUp++;
        const exists = !puppet.unknownNumbers.has(phone);
        return Promise.resolve({ exists, jid: exists ? `${phone}@s.whatsapp.net` : null, lid: null });
      },
      restriction: () => Promise.resolve(puppet.restriction),
      newChatAllowance: () => Promise.resolve(puppet.allowance),
      profilePictureUrl: () => {
        puppet.asked.picture++;
        return Promise.resolve(puppet.pictureUrl);
      },
      about: () => {
        puppet.asked.about++;
        return Promise.resolve(puppet.about);
      },
      logout: () => Promise.resolve(),
      close: () => Promise.resolve(),
      pulse: createPuppetPulse(),
      newMessageId: () => `3EB0${unique().toString(16).toUpperCase().padStart(18, "0")}`,
    };
    return life;
  };

  const puppet: PuppetLink = {
    link: () => {
      if (current === null) throw away();
      return current;
    },
    sent: [],
    readKeys: [],
    orders: [],
    asked: { lookUp: 0, picture: 0, about: 0, download: 0 },
    goesAway: ({ recovering } = { recovering: false }) => {
      isRecovering = recovering;
      current = null;
    },
    comesBack: () => {
      current = connect();
    },
    onSend: () => undefined,
    word: "taken",
    unknownNumbers: new Set(),
    pictureUrl: null,
    about: null,
    restriction: { isActive: false, until: null, type: null },
    allowance: { total: null, used: 0, until: null, isReached: false },
    media: new Map(),
    idle: async () => {
      await Promise.all(speaking);
    },
    says: async ({ chatId, messageId }, word) => {
      const about = { kind: "status" as const, chatId, ids: [messageId], at: T0_SECONDS, participant: null };
      await record("s1", [
        word === "taken"
          ? { ...about, status: "sent" }
          : { ...about, status: "failed", code: word.code, error: "refused by WhatsApp" },
      ]);
    },
  };
  current = connect();
  return puppet;
}
