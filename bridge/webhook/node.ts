/** The door for node's own HTTP server, and all that is built on it. Owns the raw body; parses nothing. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { LARGEST_BODY, type ReceiveAnswer, type Receiver } from "./receive.ts";

/** How an answer is dressed: Frappe's callers look for it in `message`. */
export type Dress = (answer: ReceiveAnswer) => object;

/** What of a refused body is still taken in, so that its sender gets to read the refusal. */
const MOST_DRAINED = 8 * 1024 * 1024;
const bare: Dress = (answer) => answer;

export function nodeDoor(receiver: Receiver, { dress = bare }: { dress?: Dress } = {}): RequestListener {
  return (request, response) => {
    // What goes wrong beyond an answer is the connection itself.
    serve(receiver, { request, response, dress }).catch(() => response.destroy());
  };
}

export async function serve(
  receiver: Receiver,
  { request, response, dress = bare }: { request: IncomingMessage; response: ServerResponse; dress?: Dress },
): Promise<void> {
  if (request.method !== "POST") {
    response.setHeader("allow", "POST");
    send(response, 405, dress({ success: false, error: "Use POST" }));
    request.resume();
    return;
  }
  const body = await readBody(request);
  if (body === null) {
    response.setHeader("connection", "close");
    send(response, 413, dress({ success: false, error: "Payload too large" }));
    drain(request);
    return;
  }
  const answer = await receiver.receive({ headers: request.headers, body });
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  send(response, answer.status, dress(answer.body));
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.statusCode = status;
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.setHeader("content-length", Buffer.byteLength(text));
  response.setHeader("cache-control", "no-store");
  response.end(text);
}

/** The bytes as they were sent; null when they are too many. Rejects when the sender goes away. */
function readBody(request: IncomingMessage): Promise<Buffer | null> {
  if (Number(request.headers["content-length"] ?? 0) > LARGEST_BODY) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= LARGEST_BODY) return;
      request.pause();
      request.off("data", take);
      resolve(null);
    };
    request.on("data", take);
    request.once("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.once("error", reject);
    request.once("close", () => reject(new Error("the sender went away")));
  });
}

function drain(request: IncomingMessage): void {
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > MOST_DRAINED) request.destroy();
  });
  request.resume();
}
