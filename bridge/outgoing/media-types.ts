/** Kinds of messages that are files. */
export const MEDIA_TYPES = ["image", "video", "audio", "voice", "document", "sticker"] as const;

type MediaType = (typeof MEDIA_TYPES)[number];

export const isMedia = (type: string): type is MediaType => MEDIA_TYPES.some((one) => one === type);
