/** What the bridge keeps in a CRM, as the hub's contract describes it. Types only; the schemas are the contract's. */
import type { z } from "zod";
import type {
  chatSchema,
  contactSchema,
  messageSchema,
  MessageStatus,
  sessionSchema,
} from "../hub/contract/index.ts";

/** `settings`: as the hub tells them; an event does not. */
export type Session = z.infer<typeof sessionSchema> & { settings?: Record<string, unknown> | undefined };
export type Contact = z.infer<typeof contactSchema>;
export type Chat = z.infer<typeof chatSchema>;
export type Message = z.infer<typeof messageSchema>;

/** What names one message within a session; the id alone is not enough: both sides of a chat may use the same one. */
export type MessageKey = Pick<Message, "chatId" | "messageId" | "fromMe" | "participant">;

/**
 * What names a message in a change that is told without it. Events of before do not say whose it is: `fromMe` is absent then,
 * and the newest of those with this id is meant. Statuses are about our own.
 */
export type MessageName = Pick<Message, "chatId" | "messageId"> &
  Partial<Pick<Message, "fromMe" | "participant">>;

export type MessageChange = MessageName &
  (
    | { kind: "status"; status: MessageStatus; /** Unix seconds. */ at: number; error: string | null }
    | { kind: "edit"; content: string; /** Unix seconds. */ at: number }
    | { kind: "deletion"; /** Unix seconds. */ at: number }
    /** An empty `emoji` takes the reaction back. */
    | { kind: "reaction"; from: string; emoji: string; /** Unix seconds. */ at: number }
  );
