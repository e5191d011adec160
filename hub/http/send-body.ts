/** The body of a send → what is to be sent. Accepts the spellings of every existing client; decides by what is there. */
import { z } from "zod";
import {
  DATA_URL,
  MEDIA_MEMBERS,
  sendOrderSchema,
  type mediaSourceSchema,
  type sendMessageSchema,
} from "../contract/send-order.ts";
import type { ContactCard, MediaSource, SendContent } from "../inbox/send-request.ts";

type MediaMember = (typeof MEDIA_MEMBERS)[number];
type Source = z.output<typeof mediaSourceSchema>;
type MessageMembers = z.output<typeof sendMessageSchema>;

export const sendBodySchema = sendOrderSchema.transform((body, issue) => {
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

type Envelope = z.output<typeof sendOrderSchema>;

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
