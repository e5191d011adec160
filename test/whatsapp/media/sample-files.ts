/** Small files that are what they say they are, for messages that need one and do not care which. */
import { createHash } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";

function pngChunk(type: string, body: Buffer): Buffer {
  const chunk = Buffer.concat([Buffer.from(type), body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(chunk));
  return Buffer.concat([length, chunk, checksum]);
}

/** A square of one colour, which depends on the seed. */
export function samplePng(seed: string, side = 32): Buffer {
  const [red = 0, green = 0, blue = 0] = createHash("sha256").update(seed).digest();
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(side * 3, Buffer.from([red, green, blue]))]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(Buffer.concat(Array.from({ length: side }, () => row)))),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

export function samplePdf(text: string): Buffer {
  const safe = text.replace(/[()\\]/g, " ");
  const drawing = `BT /F1 18 Tf 40 100 Td (${safe}) Tj ET`;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${drawing.length} >>\nstream\n${drawing}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  let file = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}`;
  const start = file.indexOf("xref");
  return Buffer.from(
    `${file}trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`,
  );
}

/** A tone of 8 kHz PCM. */
export function sampleWav(seconds: number): Buffer {
  const rate = 8000;
  const samples = Buffer.alloc(Math.round(rate * seconds), 0x80);
  for (let n = 0; n < samples.length; n++)
    samples[n] = 128 + Math.round(40 * Math.sin((2 * Math.PI * 440 * n) / rate));
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + samples.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write("data", 36);
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}

/** Only the beginnings that file types are told by; nothing plays them. */
export const sampleMp4 = (): Buffer =>
  Buffer.from("000000186674797069736f6d0000020069736f6d6d703432000000086d646174", "hex");
export const sampleOgg = (): Buffer =>
  Buffer.concat([
    Buffer.from("4f676753000200000000000000000000000000000000000000000113", "hex"),
    Buffer.from("OpusHead"),
  ]);
export const sampleWebp = (): Buffer =>
  Buffer.from("52494646240000005745425056503820180000003001009d012a0100010001401c25a400037000fef9", "hex");

/** As many bytes as asked for, the same for the same size. */
export function sampleBytes(size: number): Buffer {
  const block = createHash("sha512").update(`bytes ${size}`).digest();
  return Buffer.alloc(size, block);
}
