/** Messages with a file: it is encrypted, put on the media server, and the message says where it is and how to open it. */
import type { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import type { StoredMedia } from "../media/media-store.ts";
import {
  sampleBytes,
  sampleMp4,
  sampleOgg,
  samplePdf,
  samplePng,
  sampleWav,
  sampleWebp,
} from "../media/sample-files.ts";
import type { Content, ContentContext } from "./content.ts";
import { contextInfo } from "./context-info.ts";
import type { ReadMessageSpec } from "./message-spec.ts";

/** By the table of samples: each kind of file has one. */
export const isFile = (spec: ReadMessageSpec): spec is FileSpec => Object.hasOwn(SAMPLES, spec.kind);

type FileSpec = Extract<ReadMessageSpec, { kind: "image" | "video" | "audio" | "document" | "sticker" }>;

interface FileSample {
  bytes: (spec: FileSpec) => Buffer;
  mimetype: string;
}
const SAMPLES: Record<FileSpec["kind"] | "voice", FileSample> = {
  image: { bytes: (spec) => samplePng(spec.caption ?? "image"), mimetype: "image/png" },
  video: { bytes: sampleMp4, mimetype: "video/mp4" },
  audio: { bytes: (spec) => sampleWav(spec.kind === "audio" ? spec.seconds : 1), mimetype: "audio/wav" },
  voice: { bytes: sampleOgg, mimetype: "audio/ogg; codecs=opus" },
  document: { bytes: (spec) => samplePdf(spec.caption ?? "Document"), mimetype: "application/pdf" },
  sticker: { bytes: sampleWebp, mimetype: "image/webp" },
};

export function fileContent(spec: FileSpec, context: ContentContext): Content {
  const sample = SAMPLES[spec.kind === "audio" && spec.voice ? "voice" : spec.kind];
  const shared = {
    ...placed(context.media.put(spec.kind, bytesOf(spec, sample))),
    mimetype: spec.mimetype ?? sample.mimetype,
    ...contextInfo(spec, context),
  };
  const caption = spec.caption ?? null;
  switch (spec.kind) {
    case "image":
      return viewed(spec, { imageMessage: { ...shared, caption, width: 32, height: 32 } }, "image");
    case "video":
      return viewed(spec, { videoMessage: { ...shared, caption, seconds: 1 } }, "video");
    case "audio":
      return {
        type: "media",
        mediaType: spec.voice ? "ptt" : "audio",
        message: { audioMessage: { ...shared, ptt: spec.voice, seconds: spec.seconds } },
      };
    case "document":
      return {
        type: "media",
        mediaType: "document",
        message: { documentMessage: { ...shared, caption, fileName: spec.fileName, title: spec.fileName } },
      };
    case "sticker":
      return { type: "media", mediaType: "sticker", message: { stickerMessage: shared } };
  }
}

function bytesOf(spec: FileSpec, sample: FileSample): Buffer {
  if (spec.base64 !== undefined) return Buffer.from(spec.base64, "base64");
  return spec.bytes === undefined ? sample.bytes(spec) : sampleBytes(spec.bytes);
}

const viewed = (spec: FileSpec, message: proto.IMessage, mediaType: string): Content => ({
  type: "media",
  mediaType,
  message: spec.viewOnce ? { viewOnceMessageV2: { message } } : message,
});

const placed = ({
  mediaKey,
  fileSha256,
  fileEncSha256,
  fileLength,
  directPath,
  url,
}: StoredMedia): proto.Message.IImageMessage => ({
  url,
  directPath,
  mediaKey,
  fileSha256,
  fileEncSha256,
  fileLength,
  mediaKeyTimestamp: Math.floor(Date.now() / 1000),
});
