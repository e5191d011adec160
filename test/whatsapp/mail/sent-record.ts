/** Writes down what a recipient read, with its attachment fetched and opened as the recipient's phone would. */
import { createHash } from "node:crypto";
import { getContentType, normalizeMessageContent, type proto } from "@whiskeysockets/baileys";
import type { proto as Proto } from "@whiskeysockets/baileys/WAProto/index.js";
import { decryptMedia, type MediaKind } from "../crypto/media.ts";
import { parseJid } from "../wire/jid.ts";
import { readable, type SentMessage } from "../state/sent.ts";
import type { Person } from "../state/people.ts";
import type { World } from "../world.ts";
import type { Sending } from "./outbound.ts";

/** False: the recipient has it already. */
export function keepSent(
  sending: Sending,
  person: Person,
  message: Proto.Message,
  resend: boolean,
  world: World,
): boolean {
  const { companion, id, to, isGroup, node } = sending;
  const content = normalizeMessageContent(message);
  const kind = (content && getContentType(content)) ?? "unknown";
  const { number } = companion.account;
  const record = world.sent.add({
    id,
    account: number,
    device: companion.device,
    to: isGroup ? parseJid(to).user : person.pn,
    group: isGroup,
    toJid: to,
    readBy: person.pn,
    at: Date.now(),
    kind,
    text: textOf(content),
    message: readable(message),
    edit: node.attrs["edit"],
    resend,
    media: openAttachment(content, world),
  });
  if (!record) return false;
  world.events.emit({
    type: "sent",
    account: number,
    device: companion.device,
    id,
    detail: { to: record.to, readBy: person.pn, kind },
  });
  return true;
}

function textOf(content: proto.IMessage | undefined): string | undefined {
  if (!content) return undefined;
  const edited = content.protocolMessage?.editedMessage ?? undefined;
  const captioned = content.imageMessage ?? content.videoMessage ?? content.documentMessage;
  const texts = [
    content.conversation,
    content.extendedTextMessage?.text,
    captioned?.caption,
    content.reactionMessage?.text,
  ];
  return texts.find((text) => text !== null && text !== undefined && text !== "") ?? textOf(edited);
}

function openAttachment(
  content: proto.IMessage | undefined,
  { media }: Pick<World, "media">,
): SentMessage["media"] {
  const found: [
    MediaKind,
    { mediaKey?: Uint8Array | null; directPath?: string | null } | null | undefined,
  ][] = [
    ["image", content?.imageMessage],
    ["video", content?.videoMessage],
    ["audio", content?.audioMessage],
    ["document", content?.documentMessage],
    ["sticker", content?.stickerMessage],
  ];
  for (const [kind, attachment] of found) {
    if (!attachment?.mediaKey || !attachment.directPath) continue;
    const blob = media.get(attachment.directPath);
    if (!blob) return undefined;
    const plain = decryptMedia(kind, blob, attachment.mediaKey);
    return { kind, bytes: plain.length, sha256: createHash("sha256").update(plain).digest("hex") };
  }
  return undefined;
}
