/** A message of the hub → the fields of its document. */
import type { Message } from "../../records.ts";
import type { MediaRow, MessageRow } from "./doctypes.ts";
import { momentOfSeconds, momentOfSecondsOrNull } from "./moments.ts";
import { numberOf } from "./people.ts";
import { clean, cleanOrNull, shortName } from "./text.ts";

const bit = (value: boolean): number => (value ? 1 : 0);

/** What a later record of the message simply replaces. */
export type PlainFields = Pick<
  MessageRow,
  | "timestamp"
  | "direction"
  | "message_type"
  | "from_number"
  | "to_number"
  | "push_name"
  | "is_forwarded"
  | "is_starred"
  | "is_reply"
  | "quoted_message_id"
  | "has_media"
  | "details"
>;

export const plainFields = (message: Message, resolve: (id: string) => string): PlainFields => ({
  timestamp: momentOfSeconds(message.timestamp),
  direction: message.fromMe ? "Outgoing" : "Incoming",
  message_type: message.type,
  from_number: numberOf(resolve(message.from)),
  to_number: numberOf(resolve(message.to)),
  push_name: shortName(message.pushName),
  is_forwarded: bit(message.isForwarded),
  is_starred: bit(message.isStarred),
  is_reply: bit(message.quotedMessageId !== null),
  quoted_message_id: cleanOrNull(message.quotedMessageId),
  has_media: bit(message.media !== null),
  details: detailsOf(message),
});

/** What an edit changes. */
export const textFields = (message: Message): Pick<MessageRow, "content" | "caption" | "edited_at"> => ({
  content: clean(message.content),
  caption: cleanOrNull(message.caption),
  edited_at: momentOfSecondsOrNull(message.editedAt),
});

/** What has no field of its own, as JSON. */
function detailsOf({ location, contacts, poll }: Message): string | null {
  if (location === null && contacts === null && poll === null) return null;
  return clean(JSON.stringify({ location, contacts, poll }));
}

export const mediaFields = ({ media, type }: Message): Partial<MediaRow> | null =>
  media === null
    ? null
    : {
        media_type: type,
        filename: shortName(media.filename),
        filesize: media.filesize,
        mimetype: shortName(media.mimetype),
        url: clean(media.url),
        // Events do not tell it.
        ...(media.mediaId === "" ? {} : { remote_media_id: clean(media.mediaId) }),
        media_hash: cleanOrNull(media.sha256 ?? null),
      };
