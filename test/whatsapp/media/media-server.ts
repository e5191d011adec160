/**
 * The media servers: upload by POST (https only: Baileys rc14 posts to the host that `media_conn` names), download by GET.
 * The same handler also serves downloads on the admin port, where the trust preload sends `*.whatsapp.net`.
 */
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TlsCertificate } from "../wire/tls-certificate.ts";
import type { ArmedFaults } from "../state/faults.ts";
import type { World } from "../world.ts";
import { mediaUrl, uploadPath } from "./media-store.ts";

type Parts = Pick<World, "media" | "faults" | "counters">;

const UPLOADS = /^\/(mms|product|pps)\//;
const DOWNLOADS = /^\/(v|o1)\//;

export const isMediaRequest = (request: IncomingMessage): boolean => {
  const path = request.url ?? "";
  return request.method === "POST" ? UPLOADS.test(path) : DOWNLOADS.test(path);
};

export function createMediaServer(tls: TlsCertificate, parts: Parts): Server {
  return createServer({ cert: tls.certificate, key: tls.privateKey }, (request, response) => {
    if (isMediaRequest(request)) answerMedia(request, response, parts);
    else response.writeHead(404).end();
  });
}

export function answerMedia(request: IncomingMessage, response: ServerResponse, parts: Parts): void {
  if (request.method === "POST") receiveUpload(request, response, parts);
  else sendDownload(request, response, parts);
}

function receiveUpload(
  request: IncomingMessage,
  response: ServerResponse,
  { media, faults, counters }: Parts,
): void {
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => {
    const fault = faults.take("upload", undefined);
    if (fault) return void response.writeHead(fault.status).end();
    const ciphertext = Buffer.concat(pieces);
    const directPath = uploadPath(ciphertext);
    media.putBlob(directPath, ciphertext);
    counters.add("mediaUploads");
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ url: mediaUrl(directPath), direct_path: directPath }));
  });
}

function sendDownload(
  request: IncomingMessage,
  response: ServerResponse,
  { media, faults, counters }: Parts,
): void {
  const fault = faults.take("media", undefined, isItsTurn) ?? {};
  const blob = media.get(request.url ?? "");
  counters.add("mediaDownloads");
  if (fault.redirect !== undefined) {
    response.writeHead(302, { location: fault.redirect }).end();
    return;
  }
  if (fault.status !== undefined || !blob) {
    response.writeHead(fault.status ?? 404).end();
    return;
  }
  const body = fault.damage === "garbled" ? garbled(blob) : blob;
  const part = writePartialHead(request, response, body);
  if (fault.damage === "truncated")
    response.write(part.subarray(0, part.length >> 1), () => response.destroy());
  else response.end(part);
}

/** Counts down as it looks: each download is looked at once. */
const isItsTurn = (fault: ArmedFaults["media"]): boolean => {
  if ((fault.skip ?? 0) === 0) return true;
  fault.skip = (fault.skip ?? 0) - 1;
  return false;
};

/** The bytes that were asked for, announced. */
function writePartialHead(request: IncomingMessage, response: ServerResponse, body: Buffer): Buffer {
  const type = { "content-type": "application/octet-stream" };
  const range = rangeOf(request.headers.range, body.length);
  if (!range) {
    response.writeHead(200, { ...type, "content-length": body.length });
    return body;
  }
  const { start, end } = range;
  response.writeHead(206, {
    ...type,
    "content-length": end - start,
    "content-range": `bytes ${start}-${end - 1}/${body.length}`,
  });
  return body.subarray(start, end);
}

function garbled(blob: Buffer): Buffer {
  const copy = Buffer.from(blob);
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 0xff;
  return copy;
}

function rangeOf(header: string | undefined, length: number): { start: number; end: number } | undefined {
  const found = /^bytes=(\d+)-(\d*)$/.exec(header ?? "");
  if (!found) return undefined;
  const end = found[2] ? Math.min(Number(found[2]) + 1, length) : length;
  return { start: Math.min(Number(found[1]), end), end };
}
