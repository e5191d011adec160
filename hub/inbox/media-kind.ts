/** What a file really is, told by its first bytes, and how much of each kind WhatsApp takes. Names and headers only hint. */
import { fileTypeFromBuffer } from "file-type";
import { HubError } from "../core/errors.ts";

export type MediaKind = "image" | "video" | "audio" | "document" | "sticker";

const MB = 1024 * 1024;
export const CAP_BYTES: Record<MediaKind, number> = {
  image: 16 * MB,
  video: 64 * MB,
  audio: 16 * MB,
  document: 100 * MB,
  sticker: MB,
};

/** Enough of a file for every signature we accept; the rest is never looked into, so no archive can be made to unfold. */
export const HEAD_BYTES = 4100;

export interface ContentType {
  mimetype: string;
  /** Without the dot; empty when unknown. */
  extension: string;
}

const ACCEPTED: Record<Exclude<MediaKind, "document">, RegExp> = {
  image: /^image\/(jpeg|png|webp|gif|heic|heif|avif|bmp|tiff)$/,
  video: /^video\/(mp4|3gpp|3gpp2|quicktime|webm|x-matroska|x-m4v|mpeg|x-msvideo|avi|vnd\.avi)$/,
  audio: /^audio\//,
  sticker: /^image\/webp$/,
};

/** Containers that hold sound alone as well as moving pictures. */
const ALSO_AUDIO = /^(video\/(mp4|3gpp|webm)|application\/ogg)$/;

export async function sniff(head: Uint8Array): Promise<ContentType | null> {
  const found = await fileTypeFromBuffer(head);
  return found ? { mimetype: found.mime, extension: found.ext } : null;
}

/** What a document is sent as: the caller's word when it is one, else the content, else its name, else plain bytes. */
export function documentType(
  found: ContentType | null,
  claimed: string | null,
  filename: string | null,
): ContentType {
  // Office files are archives: their first bytes say no more than that.
  const isTold = found !== null && found.mimetype !== "application/zip";
  const byName = isTold ? undefined : MIMETYPES[extensionIn(filename ?? "")];
  const mimetype = cleanMimetype(claimed) ?? byName ?? found?.mimetype ?? "application/octet-stream";
  return { mimetype, extension: EXTENSIONS[mimetype] ?? found?.extension ?? "" };
}

const extensionIn = (filename: string): string =>
  /\.([a-z0-9]{1,8})$/i.exec(filename)?.[1]?.toLowerCase() ?? "";

/** @throws HubError MEDIA_ERROR when the content is not of this kind. */
export function typeAs(
  kind: MediaKind,
  found: ContentType | null,
  claimed: string | null,
  filename: string | null = null,
): ContentType {
  if (kind === "document") return documentType(found, claimed, filename);
  if (found !== null && ACCEPTED[kind].test(found.mimetype)) return found;
  if (kind === "audio" && found !== null && ALSO_AUDIO.test(found.mimetype))
    return { ...found, mimetype: found.mimetype.replace(/^(video|application)\//, "audio/") };
  throw new HubError("MEDIA_ERROR", `The file is not ${NAMES[kind]}.`, {
    details: { kind, found: found?.mimetype ?? null },
  });
}

/** Ogg is what WhatsApp plays as a voice note; it wants the codec in the name. */
export const isVoice = (mimetype: string): boolean => /^audio\/(ogg|opus)\b/.test(mimetype);
export const VOICE_MIMETYPE = "audio/ogg; codecs=opus";

/** @throws HubError MEDIA_ERROR when a file is bigger than its kind may be. */
export function refuseOversize(kind: MediaKind, size: number): void {
  if (size <= CAP_BYTES[kind]) return;
  throw new HubError(
    "MEDIA_ERROR",
    `The file is bigger than the ${CAP_BYTES[kind] / MB} MB WhatsApp takes.`,
    {
      details: { kind, size, capBytes: CAP_BYTES[kind] },
    },
  );
}

/** `type/subtype` without parameters, in lower case; null for anything else. */
export function cleanMimetype(written: string | null): string | null {
  const bare = written?.split(";")[0]?.trim().toLowerCase() ?? "";
  return /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$/.test(bare) ? bare : null;
}

const NAMES: Record<MediaKind, string> = {
  image: "an image",
  video: "a video",
  audio: "a sound",
  document: "a document",
  sticker: "a webp sticker",
};

/** For files whose content has no signature of its own. */
const MIMETYPES: Record<string, string> = {
  txt: "text/plain",
  csv: "text/csv",
  html: "text/html",
  json: "application/json",
  doc: "application/msword",
  xls: "application/vnd.ms-excel",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
};
const EXTENSIONS: Record<string, string> = Object.fromEntries(
  Object.entries(MIMETYPES).map(([extension, mimetype]) => [mimetype, extension]),
);
