/** What the hub asks of an open connection, in the library's words; every failure gets a name the caller can act on. */
import type { Readable } from "node:stream";
import type { ErrorCode } from "../contract/errors.ts";
import { HubError } from "../core/errors.ts";
import { isGroupJid, isPhoneJid } from "../core/jid.ts";
import type { Message } from "../core/message.ts";
import type { SendOrder, WhatsAppKey, WhatsAppLink } from "../core/whatsapp.ts";
import {
  downloadMediaMessage,
  generateMessageIDV2,
  type AnyMessageContent,
  WAMessageAddressingMode,
  type AuthenticationCreds,
  type BinaryNode,
  type GroupMetadata,
  type WASocket,
} from "./baileys.ts";
import type { BaileysLogger } from "./baileys-log.ts";
import type { Generation } from "./generation.ts";
import { asSent, keyOf, outgoing, protoOf, quotedMessage } from "./outgoing.ts";
import { addressOf } from "./translate/addresses.ts";

export interface LinkParts {
  socket: WASocket;
  creds: AuthenticationCreds;
  generation: Generation;
  logger: BaileysLogger;
  /** Who is in a group and how it names them; cached. */
  groupOf: (jid: string) => Promise<GroupMetadata>;
  onPairingCode: (code: string) => void;
  /** Resolves when everything handed to the socket so far has left. */
  flush: () => Promise<void>;
  close: () => Promise<void>;
}

export function createLink({
  socket,
  creds,
  generation,
  logger,
  groupOf,
  onPairingCode,
  flush,
  close,
}: LinkParts): WhatsAppLink {
  const isGone = (): boolean => generation.isFenced() || !socket.ws.isOpen;

  /** Runs a call of the library; `code` is what its failure means while the connection stands. */
  async function ask<T>(what: string, code: ErrorCode, call: () => Promise<T>): Promise<T> {
    if (isGone()) throw notConnected();
    try {
      return await call();
    } catch (cause) {
      if (cause instanceof HubError) throw cause;
      if (isGone()) throw notConnected(cause);
      throw new HubError(code, `WhatsApp did not ${what}.`, { cause, ...detailsOf(cause) });
    }
  }

  /** As `ask`, for what is only done when it has left: the gate holds frames back until the disk is ready. */
  const tell = <T>(what: string, call: () => Promise<T>): Promise<T> =>
    ask(what, "WHATSAPP_ERROR", async () => {
      const answer = await call();
      await flush();
      return answer;
    });

  async function send({ chatId, messageId, content, quoted, isForwarded }: SendOrder) {
    const sent = await tell("take the message", async () => {
      const said = "target" in content ? { ...content, target: await asAddressed(content.target) } : content;
      const quote = quoted === null ? {} : { quoted: quotedMessage(await asAddressed(quoted)) };
      return socket.sendMessage(chatId, forwarded(outgoing(said), isForwarded === true), {
        messageId,
        ...quote,
      });
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

  async function downloadMedia(message: Message): Promise<Readable> {
    const content = protoOf(message);
    if (content === null)
      throw new HubError("MEDIA_ERROR", "What WhatsApp needs to fetch this file was not kept.");
    return ask("deliver the file", "MEDIA_ERROR", () =>
      downloadMediaMessage(
        { key: keyOf(message), message: content },
        "stream",
        {},
        { logger, reuploadRequest: (wanted) => socket.updateMediaMessage(wanted) },
      ),
    );
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
      return (await ask("answer", "WHATSAPP_ERROR", () => socket.profilePictureUrl(jid, "image"))) ?? null;
    } catch (cause) {
      if (isRefusal(cause)) return null;
      throw cause;
    }
  }

  return {
    send,
    downloadMedia,
    lookUp,
    profilePictureUrl,
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

const notConnected = (cause?: unknown): HubError =>
  new HubError("SESSION_NOT_CONNECTED", "The connection to WhatsApp is gone.", { cause });

const noAnswer = (): never => {
  throw new HubError("WHATSAPP_ERROR", "WhatsApp did not answer in time.");
};

/** WhatsApp's mark of a forwarded message. */
const forwarded = (content: AnyMessageContent, isForwarded: boolean): AnyMessageContent =>
  isForwarded ? { ...content, contextInfo: { isForwarded: true, forwardingScore: 1 } } : content;

/** Numbers of WhatsApp ("no picture", "not for you") lie in the error's `data`. */
function dataOf(cause: unknown): unknown {
  return cause instanceof Error && "data" in cause ? cause.data : undefined;
}

function detailsOf(cause: unknown): { details?: Record<string, unknown> } {
  const data = dataOf(cause);
  return typeof data === "number" ? { details: { whatsappCode: data } } : {};
}

const isRefusal = (error: unknown): boolean => {
  const code = error instanceof HubError ? dataOf(error.cause) : undefined;
  return code === 401 || code === 403 || code === 404;
};
