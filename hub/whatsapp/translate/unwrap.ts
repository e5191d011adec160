/** A message without its wrappers: disappearing, view-once, with caption, sent by another device of ours, edited, … */
import type { proto } from "../baileys.ts";

const MAX_DEPTH = 8;

/** The message inside `deviceSentMessage` and all wrappers that only carry another message. */
export function unwrap(message: proto.IMessage | null | undefined): proto.IMessage | null {
  let current: proto.IMessage | null = message ?? null;
  for (let depth = 0; current !== null && depth < MAX_DEPTH; depth++) {
    const inner = innerOf(current);
    if (inner === null) return current;
    current = inner;
  }
  return current;
}

function innerOf(message: proto.IMessage): proto.IMessage | null {
  if (message.deviceSentMessage?.message) return message.deviceSentMessage.message;
  for (const [name, value] of Object.entries(message) as [string, unknown][]) {
    if (!CARRIES_A_MESSAGE.has(name) || typeof value !== "object" || value === null) continue;
    // A member of this list is a FutureProofMessage: it has nothing but `message`.
    const { message: inner } = value as proto.Message.IFutureProofMessage;
    if (inner) return inner;
  }
  return null;
}

/** Members that are a FutureProofMessage. */
const CARRIES_A_MESSAGE = new Set([
  "ephemeralMessage",
  "viewOnceMessage",
  "viewOnceMessageV2",
  "viewOnceMessageV2Extension",
  "documentWithCaptionMessage",
  "editedMessage",
  "groupMentionedMessage",
  "botInvokeMessage",
  "botForwardedMessage",
  "botTaskMessage",
  "lottieStickerMessage",
  "eventCoverImage",
  "associatedChildMessage",
  "groupStatusMessage",
  "groupStatusMessageV2",
  "groupStatusMentionMessage",
  "statusMentionMessage",
  "statusAddYours",
  "pollCreationMessageV4",
  "pollCreationOptionImageMessage",
  "limitSharingMessage",
  "questionMessage",
  "questionReplyMessage",
]);

/** Members that are no content of their own. */
const BESIDE_THE_CONTENT = new Set([
  "messageContextInfo",
  "senderKeyDistributionMessage",
  "fastRatchetKeySenderKeyDistributionMessage",
]);

/** WhatsApp's name of what a message holds, null when it holds nothing to show. */
export function kindOf(message: proto.IMessage): string | null {
  for (const [name, value] of Object.entries(message) as [string, unknown][])
    if (value !== null && value !== undefined && value !== "" && !BESIDE_THE_CONTENT.has(name)) return name;
  return null;
}

/** No member that this version knows, not even an empty one or a key for others. */
export function holdsNothing(message: proto.IMessage): boolean {
  for (const [name, value] of Object.entries(message) as [string, unknown][])
    if (value !== null && value !== undefined && name !== "messageContextInfo") return false;
  return true;
}
