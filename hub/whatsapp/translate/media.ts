/** The file of a message, as WhatsApp announces it. Ids and tokens are given when it is recorded. */
import type { MessageMedia } from "../../core/message.ts";
import { base64, clipName, number } from "./fields.ts";

/** What the media kinds of WhatsApp have in common. */
export interface AnnouncedFile {
  mimetype?: string | null;
  fileLength?: unknown;
  fileSha256?: Uint8Array | string | null;
  mediaKey?: Uint8Array | string | null;
  directPath?: string | null;
  url?: string | null;
}

type FileKind = "image" | "video" | "audio" | "document" | "sticker";

const DEFAULT_MIMETYPE: Record<FileKind, string> = {
  image: "image/jpeg",
  video: "video/mp4",
  audio: "audio/ogg",
  document: "application/octet-stream",
  sticker: "image/webp",
};

/** Extensions that the second half of the media type does not spell. */
const EXTENSION: Record<string, string> = {
  "image/jpeg": "jpg",
  "image/svg+xml": "svg",
  "audio/mpeg": "mp3",
  "audio/mp4": "m4a",
  "video/quicktime": "mov",
  "video/3gpp": "3gp",
  "text/plain": "txt",
  "application/octet-stream": "bin",
  "application/msword": "doc",
  "application/vnd.ms-excel": "xls",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
};

export function mediaOf(kind: FileKind, file: AnnouncedFile, filename?: string | null): MessageMedia {
  const mimetype = clipName(file.mimetype ?? DEFAULT_MIMETYPE[kind]);
  return {
    mediaId: "",
    token: "",
    filename: filename ? clipName(filename) : `${kind}.${extensionOf(mimetype)}`,
    filesize: number(file.fileLength),
    mimetype,
    sha256: base64(file.fileSha256),
    mediaKey: base64(file.mediaKey),
    directPath: file.directPath ?? pathOf(file.url),
    ptt: false,
  };
}

function extensionOf(mimetype: string): string {
  const bare = mimetype.split(";")[0]?.trim().toLowerCase() ?? "";
  return EXTENSION[bare] ?? (/^[a-z]+\/([a-z0-9]{2,5})$/.exec(bare)?.[1] || "bin");
}

const pathOf = (url: string | null | undefined): string | null =>
  url && URL.canParse(url) ? new URL(url).pathname : null;
