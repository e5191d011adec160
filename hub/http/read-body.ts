/** The bytes of a request, decompressed and counted: nothing beyond the limit is ever held in memory. */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { HubError } from "../core/errors.ts";
import { invalid } from "./errors.ts";

const DECOMPRESSORS = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress };

const isKnownEncoding = (name: string): name is keyof typeof DECOMPRESSORS =>
  Object.hasOwn(DECOMPRESSORS, name);

const tooLarge = (maxBytes: number): HubError =>
  new HubError("PAYLOAD_TOO_LARGE", `The body is larger than ${maxBytes} bytes.`, { details: { maxBytes } });

/** The server itself allows five minutes, for uploads. */
const DEADLINE_MS = 30_000;

/** Whether a request announces a body at all. */
export const hasBody = (request: IncomingMessage): boolean =>
  request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;

/**
 * Reads the whole body, at most `maxBytes` of it after decompression.
 * @throws HubError `PAYLOAD_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE` (encoding), `VALIDATION_ERROR` (cut or damaged)
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (!hasBody(request)) return Buffer.alloc(0);
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding !== "identity" && !isKnownEncoding(encoding))
    throw new HubError(
      "UNSUPPORTED_MEDIA_TYPE",
      "The Content-Encoding must be gzip, deflate, br or identity.",
    );
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  return encoding === "identity"
    ? collect(request, request, maxBytes)
    : collect(request, request.pipe(DECOMPRESSORS[encoding]()), maxBytes);
}

function collect(request: IncomingMessage, source: Readable, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let isOver = false;
    const end = (outcome: () => void): void => {
      if (isOver) return;
      isOver = true; // what still comes is drained, and kept by nobody
      clearTimeout(late);
      outcome();
    };
    const refuse = (error: HubError): void =>
      end(() => {
        chunks.length = 0;
        if (source !== request) {
          request.unpipe();
          source.destroy();
        }
        reject(error);
      });
    const late = setTimeout(() => refuse(broken("did not arrive in time")), DEADLINE_MS);
    source.on("data", (chunk: Buffer) => {
      if (isOver) return;
      size += chunk.length;
      if (size > maxBytes) refuse(tooLarge(maxBytes));
      else chunks.push(chunk);
    });
    source.on("end", () => end(() => resolve(Buffer.concat(chunks))));
    source.on("error", () => refuse(broken("is damaged or incomplete")));
    request.on("close", () => {
      if (!request.complete) refuse(broken("ended before it was complete"));
    });
  });
}

const broken = (problem: string): HubError => invalid([{ path: "body", problem }]);
