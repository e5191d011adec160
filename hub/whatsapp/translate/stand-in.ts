/** Table: what people read in place of a kind the contract has no word for, and which kinds nobody is to read. */
import type { proto } from "../baileys.ts";
import { clipName, number } from "./fields.ts";

/** Spoken between devices; a chat shows nothing of them. */
const UNSEEN = new Set([
  "protocolMessage",
  "keepInChatMessage",
  "stickerSyncRmrMessage",
  "messageHistoryBundle",
  "messageHistoryNotice",
  "placeholderMessage",
  "call",
  "chat",
  "encEventResponseMessage",
]);

const STAND_IN: Record<string, (message: proto.IMessage) => string> = {
  stickerPackMessage: (m) => `🧩 Sticker pack ${clipName(m.stickerPackMessage?.name ?? "")}`,
  groupInviteMessage: (m) => `✉️ Invitation to the group ${clipName(m.groupInviteMessage?.groupName ?? "")}`,
  newsletterAdminInviteMessage: (m) =>
    `✉️ Invitation to the channel ${clipName(m.newsletterAdminInviteMessage?.newsletterName ?? "")}`,
  productMessage: (m) => `🛍️ ${clipName(m.productMessage?.product?.title ?? "Product")}`,
  orderMessage: (m) => `🧾 Order of ${number(m.orderMessage?.itemCount)} items`,
  invoiceMessage: (m) => `🧾 ${clipName(m.invoiceMessage?.note ?? "Invoice")}`,
  eventMessage: (m) => `📅 ${clipName(m.eventMessage?.name ?? "Event")}`,
  pinInChatMessage: () => "📌 A message was pinned",
  pollUpdateMessage: () => "📊 A vote in a poll",
  pollResultSnapshotMessage: (m) =>
    `📊 Result of the poll ${clipName(m.pollResultSnapshotMessage?.name ?? "")}`,
  encReactionMessage: () => "A reaction that this device cannot read",
  encCommentMessage: () => "A comment that this device cannot read",
  secretEncryptedMessage: () => "A change that this device cannot read",
  commentMessage: (m) => `💬 ${clipName(m.commentMessage?.message?.conversation ?? "Comment")}`,
  albumMessage: (m) =>
    `🖼️ Album of ${number(m.albumMessage?.expectedImageCount) + number(m.albumMessage?.expectedVideoCount)} files`,
  sendPaymentMessage: () => "💳 A payment",
  requestPaymentMessage: () => "💳 A request for payment",
  declinePaymentRequestMessage: () => "💳 A request for payment was declined",
  cancelPaymentRequestMessage: () => "💳 A request for payment was withdrawn",
  paymentInviteMessage: () => "💳 An invitation to payments",
  callLogMesssage: () => "📞 A call",
  bcallMessage: () => "📞 A call",
  scheduledCallCreationMessage: (m) =>
    `📞 Planned call ${clipName(m.scheduledCallCreationMessage?.title ?? "")}`,
  scheduledCallEditMessage: () => "📞 A planned call was changed",
  requestPhoneNumberMessage: () => "📱 A request for the phone number",
  highlyStructuredMessage: (m) =>
    clipName(m.highlyStructuredMessage?.hydratedHsm?.hydratedTemplate?.hydratedContentText ?? "A template"),
  questionResponseMessage: (m) => clipName(m.questionResponseMessage?.text ?? "An answer"),
  statusQuestionAnswerMessage: (m) => clipName(m.statusQuestionAnswerMessage?.text ?? "An answer"),
};

export const UNDECRYPTABLE_STAND_IN =
  "🔒 A message that cannot be read yet; WhatsApp was asked to send it again";
export const VIEW_ONCE_STAND_IN = "👁 A view-once message: it opens on the phone only";

/** Null for kinds that are not for people. A kind of the future is named, so that it is seen at all. */
export function standInOf(kind: string, message: proto.IMessage): string | null {
  if (UNSEEN.has(kind)) return null;
  return STAND_IN[kind]?.(message).trim() ?? `A message of a kind this version does not know (${kind})`;
}
