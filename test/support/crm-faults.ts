/** Ways in which a CRM can answer badly, down to the bytes on the socket. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export type CrmAnswer =
  /** Any status, with headers and a body. */
  | { kind: "answer"; status?: number; headers?: Record<string, string>; body?: unknown }
  /** A good answer, late. */
  | { kind: "slow"; ms: number }
  | { kind: "hang" }
  | { kind: "drip-headers"; everyMs: number }
  /** Status 200, then one byte of JSON at a time. */
  | { kind: "drip-body"; everyMs: number }
  /** Status 200, then a body without an end. */
  | { kind: "endless-body" }
  | { kind: "big-body"; bytes: number }
  | { kind: "redirect"; to: string; status?: number }
  /** The connection is reset after the request was read. */
  | { kind: "reset" }
  /** Not HTTP at all. */
  | { kind: "garbage" }
  | { kind: "big-header"; bytes: number }
  | { kind: "bad-chunk" }
  /** Announces more than it sends, then closes. */
  | { kind: "cut-body"; body: string };

/** Whether a well-meaning CRM would have stored the event with this answer. */
export function isGood(answer: CrmAnswer): boolean {
  if (answer.kind !== "answer") return ["slow", "endless-body", "big-body"].includes(answer.kind);
  const { status = 200, body = "" } = answer;
  return status >= 200 && status < 300 && !JSON.stringify(body).includes("false");
}

export async function give(
  answer: CrmAnswer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (isBelowHttp(answer)) return misbehave(answer, request.socket);
  switch (answer.kind) {
    case "answer": {
      const { status = 200, headers = {}, body = { success: true } } = answer;
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const length = Buffer.byteLength(text);
      response.writeHead(status, {
        "content-type": "application/json",
        "content-length": length,
        ...headers,
      });
      response.end(text);
      return;
    }
    case "slow":
      await pause(answer.ms);
      return give({ kind: "answer" }, request, response);
    case "redirect":
      response.writeHead(answer.status ?? 302, { location: answer.to, "content-length": 0 }).end();
      return;
    case "big-body":
      return pour(response, answer.bytes);
    case "endless-body":
      return pour(response, Infinity);
  }
}

type BelowHttp = Exclude<CrmAnswer, { kind: "answer" | "slow" | "redirect" | "big-body" | "endless-body" }>;

const isBelowHttp = (answer: CrmAnswer): answer is BelowHttp =>
  !["answer", "slow", "redirect", "big-body", "endless-body"].includes(answer.kind);

async function misbehave(answer: BelowHttp, socket: Socket): Promise<void> {
  switch (answer.kind) {
    case "hang":
      return;
    case "reset":
      socket.resetAndDestroy();
      return;
    case "drip-headers":
      return drip(socket, "HTTP/1.1 200 OK\r\nx-filler: ", answer.everyMs);
    case "drip-body":
      return drip(socket, 'HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{"a":"', answer.everyMs);
    case "garbage":
      socket.end("HELO this is no web server\r\n\r\n");
      return;
    case "big-header":
      socket.end(`HTTP/1.1 200 OK\r\nx-filler: ${"a".repeat(answer.bytes)}\r\ncontent-length: 0\r\n\r\n`);
      return;
    case "bad-chunk":
      socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{"success":true}\r\n0\r\n\r\n');
      return;
    case "cut-body":
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${answer.body.length + 100}\r\n\r\n${answer.body}`);
      return;
  }
}

async function drip(socket: Socket, start: string, everyMs: number): Promise<void> {
  socket.write(start);
  while (!socket.destroyed) {
    socket.write("a");
    await pause(everyMs);
  }
}

async function pour(response: ServerResponse, total: number): Promise<void> {
  const chunk = Buffer.alloc(16 * 1024, " ");
  response.writeHead(200, Number.isFinite(total) ? { "content-length": total } : {});
  let goOn = (): void => undefined;
  response.on("drain", () => goOn());
  response.on("close", () => goOn());
  for (let sent = 0; sent < total && !response.destroyed; sent += chunk.length) {
    if (response.write(chunk.subarray(0, Math.min(chunk.length, total - sent)))) continue;
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
  }
  response.end();
}
