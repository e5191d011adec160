/** The door for servers that speak in Request and Response. Owns the raw body; parses nothing. */
import type { Dress } from "./node.ts";
import { LARGEST_BODY, type Receiver } from "./receive.ts";

export function fetchDoor(
  receiver: Receiver,
  { dress = (answer) => answer }: { dress?: Dress } = {},
): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== "POST")
      return Response.json(dress({ success: false, error: "Use POST" }), {
        status: 405,
        headers: { allow: "POST" },
      });
    const body = await readBody(request);
    if (body === null)
      return Response.json(dress({ success: false, error: "Payload too large" }), { status: 413 });
    const headers = Object.fromEntries(request.headers);
    const answer = await receiver.receive({ headers, body });
    return Response.json(dress(answer.body), {
      status: answer.status,
      headers: { ...answer.headers, "cache-control": "no-store" },
    });
  };
}

/** Null when it is too long. */
async function readBody(request: Request): Promise<Uint8Array | null> {
  if (Number(request.headers.get("content-length") ?? 0) > LARGEST_BODY) return null;
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the stream.
  for await (const chunk of request.body) {
    const bytes: unknown = chunk;
    if (!(bytes instanceof Uint8Array)) throw new TypeError("the body of a request is not made of bytes");
    length += bytes.length;
    if (length > LARGEST_BODY) return null;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
