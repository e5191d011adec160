/** Orders about chats and people, which WhatsApp carries to all devices of the account; and signs that somebody writes. */
import type { ChatOrder, LinkPulse, MessageAt, WhatsAppKey, WhatsAppLink } from "../core/whatsapp.ts";
import type { Asking } from "./asking.ts";
import { proto, type WAMessageKey, type WASocket } from "./baileys.ts";
import { keyOf } from "./outgoing.ts";

type ChatOrders = Pick<WhatsAppLink, "changeChat" | "showTyping" | "block" | "requestHistory"> &
  Pick<LinkPulse, "askPhone">;
type Modification = Parameters<WASocket["chatModify"]>[0];

export interface ChatOrderParts {
  socket: Pick<
    WASocket,
    | "chatModify"
    | "sendPresenceUpdate"
    | "updateBlockStatus"
    | "fetchMessageHistory"
    | "sendPeerDataOperationMessage"
  >;
  asking: Asking;
  asAddressed: <T extends WhatsAppKey>(key: T) => Promise<T>;
  /** The address that WhatsApp's phone keeps a chat under. */
  ownAddressOf: (chatId: string) => Promise<string>;
}

export function createChatOrders({ socket, asking, asAddressed, ownAddressOf }: ChatOrderParts): ChatOrders {
  async function modificationOf(order: ChatOrder): Promise<Modification> {
    switch (order.kind) {
      case "archive": {
        const { value, newest } = order;
        const lastMessages =
          newest === null ? [] : [{ key: await ownKeyOf(newest), messageTimestamp: newest.timestamp }];
        return { archive: value, lastMessages };
      }
      case "pin":
        return { pin: order.value };
      case "mute":
        return { mute: order.until === 0 ? null : order.until < 0 ? -1 : order.until * 1000 };
    }
  }

  const ownKeyOf = async (message: MessageAt): Promise<WAMessageKey> => ({
    ...keyOf(await asAddressed(message)),
    remoteJid: await ownAddressOf(message.chatId),
  });

  return {
    changeChat: (chatId, order) =>
      asking.tell("change the chat", async () =>
        socket.chatModify(await modificationOf(order), await ownAddressOf(chatId)),
      ),
    showTyping: (chatId, state) =>
      asking.tell("show that somebody writes", () => socket.sendPresenceUpdate(state, chatId)),
    block: (jid, isBlocked) =>
      asking.tell(isBlocked ? "block the contact" : "unblock the contact", () =>
        socket.updateBlockStatus(jid, isBlocked ? "block" : "unblock"),
      ),
    requestHistory: async (before, count) => {
      await asking.tell("take the request for history", async () => {
        await socket.fetchMessageHistory(count, await ownKeyOf(before), before.timestamp * 1000);
      });
    },
    askPhone: async (message) => {
      await asking.tell("take the question to the phone", async () => {
        await socket.sendPeerDataOperationMessage({
          placeholderMessageResendRequest: [{ messageKey: await ownKeyOf(message) }],
          peerDataOperationRequestType: proto.Message.PeerDataOperationRequestType.PLACEHOLDER_MESSAGE_RESEND,
        });
      });
    },
  };
}
