/** What the demo's CRM reads out of a webhook body. */
import { z } from "zod";

export interface ReceivedEvent {
  id: string;
  event: string;
  messageId: string | null;
  fromMe: boolean;
  status: string | null;
}

const schema = z.object({
  id: z.string(),
  event: z.string(),
  data: z.object({
    messageId: z.string().optional(),
    status: z.string().optional(),
    message: z.object({ id: z.string(), fromMe: z.boolean() }).partial().optional(),
  }),
});

export function asEvent(body: Buffer): ReceivedEvent {
  const { id, event, data } = schema.parse(JSON.parse(body.toString("utf8")));
  return {
    id,
    event,
    messageId: data.messageId ?? data.message?.id ?? null,
    fromMe: data.message?.fromMe ?? false,
    status: data.status ?? null,
  };
}
