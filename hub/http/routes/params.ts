/** Ids in paths, each with the form it may have: what cannot be an id is refused before anything looks for it. */
import { z } from "zod";
import { sessionIdInPath } from "../route.ts";

/** Second words below `/api/messages/{sessionId}` that are routes. */
const RESERVED = ["chats", "send", "stats", "unread", "bulk"];

const notReserved = (text: string): boolean => !RESERVED.includes(text);

/** Anything a chat or contact may be written as; what it means is decided with the session's own tables. */
const address = z
  .string()
  .regex(/^[0-9A-Za-z@:._+() -]{1,140}$/, "use a phone number or a WhatsApp address")
  .refine(notReserved, "is a reserved word");

export const chatIdSchema = address.meta({
  description: "Phone number or WhatsApp address of a chat",
  example: "34600111222@c.us",
});

/** Ids of other networks' gateways carry a prefix that is not part of WhatsApp's id. */
export const messageIdSchema = z
  .string()
  .transform((id) => id.replace(/^wamid\./, ""))
  .pipe(
    z
      .string()
      .regex(/^[0-9A-Za-z_.:@-]{1,140}$/, "use a WhatsApp message id")
      .refine(notReserved, "is a reserved word"),
  )
  .meta({ type: "string", description: "WhatsApp's id of a message", example: "3EB0A1B2C3" });

export const prefixed = (prefix: string, thing: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9A-Z]{26}$`), `use the id of ${thing}`)
    .meta({ description: `Id of ${thing}`, example: `${prefix}_01JZZZZZZZZZZZZZZZZZZZZZZZ` });

export const inSession = z.object({ sessionId: sessionIdInPath });
export const inChat = inSession.extend({ chatId: chatIdSchema });
export const inContact = inSession.extend({ contactId: address.meta({ example: "+34600111222" }) });
export const inMessage = inSession.extend({ messageId: messageIdSchema });
export const inMedia = z.object({ mediaId: prefixed("med", "a file") });
export const inEndpoint = z.object({ endpointId: prefixed("ep", "an endpoint") });
export const inDelivery = z.object({ deliveryId: prefixed("dlv", "a delivery") });
export const inReplay = z.object({ job: prefixed("job", "a replay") });
export const inKey = z.object({ keyId: prefixed("key", "a key") });
export const inUser = z.object({ userId: prefixed("usr", "a user") });
export const inEvent = z.object({ eventId: prefixed("evt", "an event") });

/** Which sessions a credential is for. */
export const sessionNames = z.union([
  z.literal("*"),
  z.array(z.string().regex(/^[a-zA-Z0-9_-]{1,100}$/)).max(1000),
]);

const numberOf = (form: RegExp) =>
  z
    .string()
    .transform((text) => text.replace(/[\s+().-]/g, ""))
    .pipe(z.string().regex(form, "use the digits of the phone number, with its country code"))
    .meta({ type: "string", description: "With its country code", example: "34600999888" });

/** An account's own number, as people write it → its digits. */
export const phoneNumberSchema = numberOf(/^\d{6,15}$/);
/** Forms send what nobody filled in as an empty text. */
export const phoneNumberOrEmpty = numberOf(/^(\d{6,15})?$/);
