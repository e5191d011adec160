/** What a message says of others: the one it answers, who is mentioned, that it was forwarded. */
import type { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import type { ContentContext } from "./content.ts";
import type { ReadMessageSpec } from "./message-spec.ts";

export function contextInfo(
  spec: Exclude<ReadMessageSpec, { kind: "reaction" | "edit" | "revoke" | "raw" }>,
  context: ContentContext,
): { contextInfo?: proto.IContextInfo } {
  const info: proto.IContextInfo = {};
  if (spec.replyTo) {
    info.stanzaId = spec.replyTo.id;
    info.participant = context.authorOf(spec.replyTo);
    info.quotedMessage = { conversation: spec.replyTo.text ?? "" };
  }
  if (spec.mentions?.length) info.mentionedJid = spec.mentions.map((number) => context.mentionOf(number));
  if (spec.forwarded) Object.assign(info, { isForwarded: true, forwardingScore: 1 });
  return Object.keys(info).length > 0 ? { contextInfo: info } : {};
}
