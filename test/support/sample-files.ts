/** The smallest files that pass for their kind: signatures with a little behind them. */

export const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
export const JPEG = Buffer.concat([
  Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0x10]),
  Buffer.from("JFIF\0\x01 pixels"),
]);
export const WEBP = Buffer.from("RIFF\x24\0\0\0WEBPVP8 pixels", "latin1");
export const PDF = Buffer.from("%PDF-1.4\n%%EOF\n");
export const MP3 = Buffer.from("ID3\x04\0\0\0\x7f\x7f\x7f sound", "latin1");

export const MP4 = Buffer.concat([
  Buffer.from([0, 0, 0, 24]),
  Buffer.from("ftypisom\0\0\x02\0isomiso2 film"),
]);

/** A voice note as WhatsApp takes it. */
export const OGG_OPUS = Buffer.alloc(64);
OGG_OPUS.write("OggS", 0);
OGG_OPUS.write("OpusHead", 28);
