/** What an order to send may look like: of the hub's REST, and of who checks one before the hub can be asked. */
import { z } from "zod";

const MAX_TEXT = 65_536;
const MAX_CAPTION = 4_096;
export const MEDIA_MEMBERS = ["image", "video", "audio", "document", "sticker"] as const;

export const DATA_URL = /^data:([a-z0-9.+/-]{1,140})(?:;[a-z0-9=-]{1,60})*;base64,/i;

const text = z.string().min(1, "must not be empty").max(MAX_TEXT);
const caption = z.string().max(MAX_CAPTION).nullish();
/** With or without the prefix of a data URL; lines may be broken. */
const base64 = z
  .string()
  .min(1, "must not be empty")
  .refine((value) => !/[^A-Za-z0-9+/_=\s-]/.test(value.replace(DATA_URL, "")), "use base64");

/** Looked at as a whole: a schema per element would take seconds for a picture. */
const byteList = z
  .custom<number[]>(isByteList, "use a list of bytes")
  .meta({ type: "array", items: { type: "integer", minimum: 0, maximum: 255 } });

/** Bytes as JSON.stringify writes a Buffer. */
const bufferJson = z
  .object({ type: z.literal("Buffer"), data: byteList })
  .transform(({ data }) => Uint8Array.from(data));

function isByteList(value: unknown): boolean {
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
}

const SOURCES = ["url", "mediaId", "base64", "buffer"] as const;

export const mediaSourceSchema = z
  .object({
    url: z
      .url({ protocol: /^https?$/, error: "use an http(s) URL" })
      .max(2048)
      .optional(),
    mediaId: z.string().max(40).optional(),
    base64: base64.optional(),
    buffer: z.union([base64, bufferJson], "use base64 or a Buffer").optional(),
    path: z.unknown().optional(),
    mimetype: z.string().max(140).nullish(),
    fileName: z.string().max(255).nullish(),
    filename: z.string().max(255).nullish(),
    caption,
    ptt: z.boolean().optional(),
  })
  .superRefine((value, issue) => {
    if (value.path !== undefined)
      issue.addIssue({
        code: "custom",
        path: ["path"],
        message: "is not accepted; use url, mediaId or base64",
      });
    const given = SOURCES.filter((name) => value[name] !== undefined);
    if (given.length !== 1)
      issue.addIssue({ code: "custom", message: `give exactly one of ${SOURCES.join(", ")}` });
  })
  .meta({ id: "MediaSource" });

const location = z.union(
  [
    z
      .object({
        degreesLatitude: z.number().min(-90).max(90),
        degreesLongitude: z.number().min(-180).max(180),
        name: z.string().max(1000).nullish(),
        address: z.string().max(1000).nullish(),
      })
      .transform(({ degreesLatitude, degreesLongitude, ...rest }) => ({
        latitude: degreesLatitude,
        longitude: degreesLongitude,
        ...rest,
      })),
    z
      .object({
        lat: z.number().min(-90).max(90),
        lng: z.number().min(-180).max(180),
        name: z.string().max(1000).nullish(),
        address: z.string().max(1000).nullish(),
      })
      .transform(({ lat, lng, ...rest }) => ({ latitude: lat, longitude: lng, ...rest })),
  ],
  "give degreesLatitude and degreesLongitude, or lat and lng",
);

const vcard = z.object({ vcard: z.string().min(1).max(100_000) });
const card = z.object({ name: z.string().min(1).max(200), phone: z.string().regex(/^[+\d\s().-]{5,30}$/) });

/** Everything a message may hold; exactly one member says what it is. */
export const sendMessageSchema = z.object({
  text: text.optional(),
  image: mediaSourceSchema.optional(),
  video: mediaSourceSchema.optional(),
  audio: mediaSourceSchema.optional(),
  document: mediaSourceSchema.optional(),
  sticker: mediaSourceSchema.optional(),
  caption,
  ptt: z.boolean().optional(),
  location: location.optional(),
  lat: z.number().optional(),
  lng: z.number().optional(),
  name: z.string().max(1000).nullish(),
  address: z.string().max(1000).nullish(),
  contacts: z
    .object({ displayName: z.string().max(200).nullish(), contacts: z.array(vcard).min(1).max(100) })
    .optional(),
  contact: card.optional(),
  poll: z
    .object({
      name: text.max(255),
      values: z.array(z.string().min(1).max(100)).min(2).max(12),
      selectableCount: z.int().min(0).max(12).optional(),
    })
    .refine(({ values }) => new Set(values).size === values.length, "answers must differ")
    .optional(),
  reaction: z.object({ messageId: z.string().min(1).max(140), emoji: z.string().max(32) }).optional(),
});

export const sendOrderSchema = z.object({
  to: z.union(
    [z.string().min(1).max(140), z.number().int().positive().transform(String)],
    "say whom to send to",
  ),
  type: z.string("say what to send").min(1).max(40),
  message: z.union([text, sendMessageSchema], "use a text, or an object that holds one kind of message"),
  caption,
  quotedMessageId: z.string().max(140).nullish(),
  mentions: z.array(z.string().max(140)).max(1024).nullish(),
  queue: z.boolean().nullish(),
  ttlSeconds: z.int().min(1).max(86_400).nullish(),
});

const SUFFIXED = /^[0-9A-Za-z._-]+(:\d+)?@(g\.us|lid|broadcast|newsletter)$/;
/** A phone number as people write it, be it of the caller's own country, or the id of an old group; with WhatsApp's end or without. */
const NUMBER = /^[\s+().-]*(?:\d[\s+().-]*){4,}(?::\d+)?(?:@(?:c\.us|s\.whatsapp\.net))?$/;

/** Whether this can be a recipient at all; which one is decided by the hub, that knows its chats. */
export const mayBeRecipient = (written: string): boolean => {
  const text = written.trim();
  return text.length <= 140 && (SUFFIXED.test(text) || NUMBER.test(text));
};
