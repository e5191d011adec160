/** What the hub asks of an open connection, in the library's words; every failure gets a name the caller can act on. */
import { HubError } from "../core/errors.ts";
import { isGroupJid, isPhoneJid, type Jid } from "../core/jid.ts";
import type { LinkPulse, SendOrder, WhatsAppKey, WhatsAppLink } from "../core/whatsapp.ts";
import { askStanding } from "./account-standing.ts";
import { createAsking, isRefusal } from "./asking.ts";
import {
  generateMessageIDV2,
  type AnyMessageContent,
  WAMessageAddressingMode,
  type AuthenticationCreds,
  type BinaryNode,
  type GroupMetadata,
  type proto,
  type WASocket,
} from "./baileys.ts";
import { createChatOrders } from "./chat-orders.ts";
import { isWhatsAppUrl } from "./file-hosts.ts";
import type { Generation } from "./generation.ts";
import { createMediaDownload } from "./media-download.ts";
import { asSent, keyOf, outgoing, quotedMessage } from "./outgoing.ts";
import { addressOf } from "./translate/addresses.ts";
import { nameOrNull } from "./translate/fields.ts";

export interface LinkParts {
  socket: WASocket;
  creds: AuthenticationCreds;
  generation: Generation;
  /** Who is in a group and how it names them; cached. */
  groupOf: (jid: string) => Promise<GroupMetadata>;
  onPairingCode: (code: string) => void;
  /** Resolves when everything handed to the socket so far has left. */
  flush: () => Promise<void>;
  /** What left, and can leave once more as it is. */
  onSent: (messageId: string, chatId: Jid, message: proto.IMessage) => void;
  close: () => Promise<void>;
  pulse: Omit<LinkPulse, "askPhone">;
}

export function createLink({
  socket,
  creds,
  generation,
  groupOf,
  onPairingCode,
  flush,
  onSent,
  close,
  pulse,
}: LinkParts): WhatsAppLink {
  const asking = createAsking({ isGone: () => generation.isFenced() || !socket.ws.isOpen, flush });
  const { ask, tell } = asking;

  async function send({ chatId, messageId, content, quoted, isForwarded }: SendOrder) {
    const sent = await tell("take the message", async () => {
      // The library asks who is in a group in the middle of a send, while all other sends of the account wait for it.
      if (isGroupJid(chatId)) await groupOf(chatId);
      const said = "target" in content ? { ...content, target: await asAddressed(content.target) } : content;
      const quote = quoted === null ? {} : { quoted: quotedMessage(await asAddressed(quoted)) };
      const left = await socket.sendMessage(chatId, forwarded(outgoing(said), isForwarded === true), {
        messageId,
        ...quote,
      });
      // A poll and what is said about another message carry marks of their own around what they say.
      if (left?.message && content.kind !== "poll" && !("target" in content))
        onSent(messageId, chatId, left.message);
      return left;
    });
    return asSent(sent);
  }

  /** The hub names people by their phone; a group of the newer kind knows its members by their hidden ids only. */
  async function asAddressed<T extends WhatsAppKey>(key: T): Promise<T> {
    if (key.participant === null || !isGroupJid(key.chatId) || !isPhoneJid(key.participant)) return key;
    const { addressingMode } = await groupOf(key.chatId);
    if (addressingMode !== WAMessageAddressingMode.LID) return key;
    const lid = await socket.signalRepository.lidMapping.getLIDForPN(key.participant);
    return lid === null ? key : { ...key, participant: addressOf(lid) };
  }

  /** The phone keeps its chats with people under their hidden ids, as far as it knows them. */
  async function ownAddressOf(chatId: string): Promise<string> {
    const lid = isPhoneJid(chatId) ? await socket.signalRepository.lidMapping.getLIDForPN(chatId) : null;
    return lid === null ? chatId : addressOf(lid);
  }

  async function lookUp(phoneNumber: string) {
    const [found] =
      (await ask("answer", "WHATSAPP_ERROR", () => socket.onWhatsApp(phoneNumber))) ?? noAnswer();
    if (found === undefined || !found.exists) return { exists: false, jid: null, lid: null };
    const lid = await ask("answer", "WHATSAPP_ERROR", () =>
      socket.signalRepository.lidMapping.getLIDForPN(found.jid),
    );
    return { exists: true, jid: addressOf(found.jid), lid: lid === null ? null : addressOf(lid) };
  }

  async function profilePictureUrl(jid: string): Promise<string | null> {
    try {
      const url = await ask("answer", "WHATSAPP_ERROR", () => socket.profilePictureUrl(jid, "image"));
      return url !== undefined && isWhatsAppUrl(url) ? url : null;
    } catch (cause) {
      if (isRefusal(cause)) return null;
      throw cause;
    }
  }

  async function about(jid: string): Promise<string | null> {
    const [found] = (await ask("answer", "WHATSAPP_ERROR", () => socket.fetchStatus(jid))) ?? noAnswer();
    const said = found?.["status"];
    if (typeof said !== "object" || said === null || !("status" in said)) return null;
    return typeof said.status === "string" ? nameOrNull(said.status) : null;
  }

  const { askPhone, ...orders } = createChatOrders({ socket, asking, asAddressed, ownAddressOf });

  return {
    ...orders,
    ...askStanding(socket, asking),
    pulse: { ...pulse, askPhone },
    send,
    downloadMedia: createMediaDownload({ socket, asking, asAddressed }),
    lookUp,
    profilePictureUrl,
    about,
    requestPairingCode: async (phoneNumber) => {
      const code = await tell("give a pairing code", () => socket.requestPairingCode(phoneNumber));
      onPairingCode(code);
      return code;
    },
    markRead: (keys: WhatsAppKey[]) =>
      tell("take the receipt", async () =>
        socket.readMessages((await Promise.all(keys.map(asAddressed))).map(keyOf)),
      ),
    logout: async () => {
      await ask("unlink", "WHATSAPP_ERROR", async () => {
        await flush();
        // Baileys' own logout hangs up without an answer, and what was on its way may go down with the socket.
        await socket.query(removalOf(creds.me?.id ?? ""));
      });
      await close();
    },
    close,
    newMessageId: () => generateMessageIDV2(creds.me?.id),
  };
}

const removalOf = (jid: string): BinaryNode => ({
  tag: "iq",
  attrs: { to: "@s.whatsapp.net", type: "set", xmlns: "md" },
  content: [{ tag: "remove-companion-device", attrs: { jid, reason: "user_initiated" } }],
});

const noAnswer = (): never => {
  throw new HubError("WHATSAPP_ERROR", "WhatsApp did not answer in time.");
};

/** WhatsApp's mark of a forwarded message. */
const forwarded = (content: AnyMessageContent, isForwarded: boolean): AnyMessageContent =>
  isForwarded ? { ...content, contextInfo: { isForwarded: true, forwardingScore: 1 } } : content;
