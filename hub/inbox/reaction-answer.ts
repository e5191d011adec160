/** A reaction sent like a message: answered under its own id, kept with the message it is for. */
import { toSeconds } from "../core/clock.ts";
import type { Message } from "../core/message.ts";
import type { Acted } from "./actions.ts";

export const reactionAnswer = ({ actionId, status, message }: Acted, emoji: string, now: Date): Message => ({
  ...message,
  id: actionId,
  fromMe: true,
  participant: null,
  pushName: null,
  timestamp: toSeconds(now),
  type: "reaction",
  content: emoji,
  caption: null,
  media: null,
  location: null,
  contacts: null,
  poll: null,
  quotedMessageId: message.id,
  mentions: [],
  isForwarded: false,
  isStarred: false,
  status,
  isPlayed: false,
  editedAt: null,
  deletedAt: null,
  reactions: [],
  raw: null,
  unknownKind: null,
});
