/** The file of a message as the site's child table, and when that table has to be written. Pure. */
import type { Message } from "../../records.ts";
import {
  fittingInt,
  fittingOrNull,
  isEmpty,
  isSet,
  nameOrNull,
  type Fields,
  type Row,
} from "./field-values.ts";
import { isSameState, readState, STATE_FIELD, type HubState } from "./hub-state.ts";

export const FILE_FIELDS = [
  "media_type",
  "file",
  "filename",
  "filesize",
  "mimetype",
  "url",
  "remote_media_id",
  "media_hash",
];
const MEDIA_TYPES = ["image", "video", "audio", "document", "sticker"];

/** The child table, always whole: the site loses rows that a write leaves out. */
export function mediaItems(
  { media, type }: Message,
  { file = null, mediaId = "" }: { file?: string | null; mediaId?: string | undefined } = {},
): Row[] | undefined {
  if (media === null) return undefined;
  return [
    {
      media_type: MEDIA_TYPES.includes(type) ? type : "document",
      filename: nameOrNull(media.filename),
      filesize: fittingInt(media.filesize),
      mimetype: nameOrNull(media.mimetype),
      url: fittingOrNull(media.url),
      remote_media_id: media.mediaId === "" ? mediaId : media.mediaId,
      ...(typeof media.sha256 === "string" ? { media_hash: media.sha256 } : {}),
      ...(file === null ? {} : { file }),
    },
  ];
}

/** What of the child table has to be sent with these changes: all of it, or nothing. */
export function changedMedia(row: Row, message: Message, changes: Fields): "none" | "items" | "removal" {
  if (isEmpty(changes)) return "none";
  if (message.media === null)
    return isSet(row, "has_media") && changes["has_media"] === 0 ? "removal" : "none";
  const isKnown = !(STATE_FIELD in changes) || knowsMedia(readState(row[STATE_FIELD]), message);
  return isSet(row, "has_media") && isKnown ? "none" : "items";
}

export const mediaState = ({ media }: Message): Pick<HubState, "mediaUrl" | "mediaId"> => ({
  ...(media === null ? {} : { mediaUrl: media.url }),
  ...(media === null || media.mediaId === "" ? {} : { mediaId: media.mediaId }),
});

const knowsMedia = (state: HubState, message: Message): boolean =>
  isSameState(state, { ...state, ...mediaState(message) });
