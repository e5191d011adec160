/** What the bridge keeps in a CRM, as the hub's contract describes it. Types only; the schemas are the contract's. */
import type { z } from "zod";
import type {
  chatSchema,
  contactSchema,
  messageSchema,
  MessageStatus,
  sessionSchema,
} from "../hub/contract/index.ts";

export type Session = z.infer<typeof sessionSchema>;
export type Contact = z.infer<typeof contactSchema>;
export type Chat = z.infer<typeof chatSchema>;
export type Message = z.infer<typeof messageSchema>;

/** What names one message within a session; the id alone is not enough: both sides of a chat may use the same one. */
export type MessageKey = Pick<Message, "chatId" | "messageId" | "fromMe" | "participant">;

/**
 * A change of a message that is told without the message itself. `fromMe` and `participant` are not known from every
 * event: a change names its message by chat and id.
 */
export type MessageChange = { chatId: string; messageId: string } & (
  | { kind: "status"; status: MessageStatus; /** Unix seconds. */ at: number; error: string | null }
  | { kind: "edit"; content: string; /** Unix seconds. */ at: number }
  | { kind: "deletion"; /** Unix seconds. */ at: number }
  /** An empty `emoji` takes the reaction back. */
  | { kind: "reaction"; from: string; emoji: string; /** Unix seconds. */ at: number }
);
