/** The body of a send → what is to be sent. Accepts the spellings of every existing client; decides by what is there. */
import { z } from "zod";
import type { ContactCard, MediaSource, SendContent } from "../inbox/send-request.ts";

const MAX_TEXT = 65_536;
const MAX_CAPTION = 4_096;
const MEDIA_MEMBERS = ["image", "video", "audio", "document", "sticker"] as const;
type MediaMember = (typeof MEDIA_MEMBERS)[number];

const DATA_URL = /^data:([a-z0-9.+/-]{1,140})(?:;[a-z0-9=-]{1,60})*;base64,/i;

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

const sourceSchema = z
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

type Source = z.output<typeof sourceSchema>;

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
const message = z.object({
  text: text.optional(),
  image: sourceSchema.optional(),
  video: sourceSchema.optional(),
  audio: sourceSchema.optional(),
  document: sourceSchema.optional(),
  sticker: sourceSchema.optional(),
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

type MessageMembers = z.output<typeof message>;

const envelope = z.object({
  to: z.union(
    [z.string().min(1).max(140), z.number().int().positive().transform(String)],
    "say whom to send to",
  ),
  type: z.string("say what to send").min(1).max(40),
  message: z.union([text, message], "use a text, or an object that holds one kind of message"),
  caption,
  quotedMessageId: z.string().max(140).nullish(),
  mentions: z.array(z.string().max(140)).max(1024).nullish(),
  queue: z.boolean().nullish(),
  ttlSeconds: z.int().min(1).max(86_400).nullish(),
});

export const sendBodySchema = envelope.transform((body, issue) => {
  const content = contentOf(body);
  if (content === null) {
    issue.addIssue({ code: "custom", path: ["message"], message: "holds nothing that can be sent" });
    return z.NEVER;
  }
  return {
    to: body.to,
    content,
    quotedMessageId: body.quotedMessageId ?? null,
    mentions: body.mentions ?? [],
    queue: body.queue ?? false,
    ttlSeconds: body.ttlSeconds ?? null,
  };
});

type Envelope = z.output<typeof envelope>;

function contentOf({ type, message: given, caption: outer }: Envelope): SendContent | null {
  if (typeof given === "string") return type === "text" ? { kind: "text", text: given } : null;
  const member = MEDIA_MEMBERS.find((name) => given[name] !== undefined);
  const file = member && given[member];
  if (member && file) return mediaContent(member, file, { type, given, outer: outer ?? null });
  return placeOf(given) ?? plainContent(given);
}

function plainContent({
  text: words,
  contacts,
  contact,
  poll,
  reaction,
}: MessageMembers): SendContent | null {
  if (contacts)
    return { kind: "contact", displayName: contacts.displayName ?? null, contacts: contacts.contacts };
  if (contact) {
    const cards: ContactCard[] = [contact];
    return { kind: "contact", displayName: contact.name, contacts: cards };
  }
  if (poll)
    return { kind: "poll", name: poll.name, values: poll.values, selectableCount: poll.selectableCount ?? 1 };
  if (reaction) return { kind: "reaction", ...reaction };
  return words === undefined ? null : { kind: "text", text: words };
}

function placeOf({ location: place, lat, lng, name, address }: MessageMembers): SendContent | null {
  const found =
    place ??
    (lat === undefined || lng === undefined ? undefined : { latitude: lat, longitude: lng, name, address });
  if (found === undefined) return null;
  const { latitude, longitude } = found;
  return { kind: "location", latitude, longitude, name: found.name ?? null, address: found.address ?? null };
}

interface MediaWords {
  type: string;
  given: MessageMembers;
  /** A caption that stands beside `message`. */
  outer: string | null;
}

/** The member decides, not the word in `type`; but a sticker may come as any of them. */
function mediaContent(member: MediaMember, file: Source, { type, given, outer }: MediaWords): SendContent {
  const source = sourceOf(file);
  const words = given.caption ?? file.caption ?? outer;
  const kind = type === "sticker" ? "sticker" : member;
  switch (kind) {
    case "image":
    case "video":
      return { kind, source, caption: words };
    case "audio":
      return { kind, source, voice: type === "voice" || isPtt(given, file) };
    case "document":
      return { kind, source, fileName: nameOf(file), mimetype: file.mimetype ?? null, caption: words };
    case "sticker":
      return { kind, source };
  }
}

const isPtt = (given: MessageMembers, file: Source): boolean => given.ptt ?? file.ptt ?? false;
const nameOf = ({ fileName, filename }: Source): string | null => fileName ?? filename ?? null;

function sourceOf({ url, mediaId, base64: encoded, buffer, mimetype }: Source): MediaSource {
  if (url !== undefined) return { from: "url", url };
  if (mediaId !== undefined) return { from: "media", mediaId };
  const given = encoded ?? buffer ?? "";
  if (typeof given !== "string") return { from: "bytes", bytes: given, mimetype: mimetype ?? null };
  const claimed = mimetype ?? DATA_URL.exec(given)?.[1] ?? null;
  return { from: "bytes", bytes: Buffer.from(given.replace(DATA_URL, ""), "base64"), mimetype: claimed };
}
