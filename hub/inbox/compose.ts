/** A request's content → what will be kept and sent: sources fetched and checked, cards written, people resolved. */
import { HubError } from "../core/errors.ts";
import type { InboxStore } from "../core/store.ts";
import type { Media } from "./media.ts";
import type { PreparedFile, WantedFile } from "./outgoing-files.ts";
import { isVoice, VOICE_MIMETYPE } from "./media-kind.ts";
import { resolveRecipient } from "./recipient.ts";
import type { KeptContent } from "./send-order.ts";
import type { ContactCard, MediaSource, SendContent, SendRequest } from "./send-request.ts";
import { nameIn, vcardOf } from "./vcard.ts";

/** Content that becomes a message of its own; reactions do not. */
export type MessageContent = Exclude<SendContent, { kind: "reaction" }>;

export interface Composed {
  content: KeptContent;
  file: PreparedFile | null;
}

export async function compose(
  content: MessageContent,
  sessionId: string,
  media: Pick<Media, "fromSource">,
): Promise<Composed> {
  const bring = (source: MediaSource, want: Omit<WantedFile, "sessionId">): Promise<PreparedFile> =>
    media.fromSource(source, { sessionId, ...want });

  switch (content.kind) {
    case "text":
    case "location":
    case "poll":
      return { content, file: null };
    case "contact":
      return { content: cards(content), file: null };
    case "image":
    case "video": {
      const file = await bring(content.source, { kind: content.kind });
      return { content: { kind: content.kind, file, caption: content.caption }, file };
    }
    case "document": {
      const { fileName: filename, mimetype, caption } = content;
      const file = await bring(content.source, { kind: "document", filename, mimetype });
      return { content: { kind: "document", file, caption }, file };
    }
    case "sticker": {
      const file = await bring(content.source, { kind: "sticker" });
      return { content: { kind: "sticker", file }, file };
    }
    case "audio": {
      const found = await bring(content.source, { kind: "audio" });
      const ptt = content.voice && isVoice(found.mimetype);
      const file = ptt ? { ...found, mimetype: VOICE_MIMETYPE } : found;
      return { content: { kind: "audio", file, ptt }, file };
    }
  }
}

/** A copy of a stored message's content: its file becomes an item of its own, so that either can be deleted alone. */
export async function composeCopy(
  content: KeptContent,
  sessionId: string,
  media: Pick<Media, "fromSource">,
): Promise<Composed> {
  if (!("file" in content)) return { content, file: null };
  const { mediaId, mimetype, filename } = content.file;
  const want = { sessionId, kind: content.kind, filename, mimetype };
  const copied = await media.fromSource({ from: "media", mediaId }, want);
  const file = content.kind === "audio" ? { ...copied, mimetype } : copied;
  return { content: { ...content, file }, file };
}

function cards({ displayName, contacts }: MessageContent & { kind: "contact" }): KeptContent {
  const kept = contacts.map((card) => ({
    name: cardName(card),
    vcard: "vcard" in card ? card.vcard : vcardOf(card),
  }));
  const first = kept[0];
  if (first === undefined)
    throw new HubError("VALIDATION_ERROR", "At least one contact is needed.", {
      details: { fields: [{ path: "message.contacts", problem: "needs at least one contact" }] },
    });
  return { kind: "contacts", displayName: displayName ?? first.name, contacts: kept };
}

const cardName = (card: ContactCard): string =>
  "vcard" in card ? (nameIn(card.vcard) ?? "Contact") : card.name;

/** The mentioned people as this session addresses them. */
export async function resolveMentions(
  { sessionId, mentions, numbering }: SendRequest,
  inbox: Pick<InboxStore, "knows" | "addresses">,
): Promise<string[]> {
  const resolved: string[] = [];
  for (const [index, written] of mentions.entries())
    resolved.push(
      await resolveRecipient({ sessionId, written, numbering, inbox, field: `mentions.${index}` }),
    );
  return resolved;
}
