/** The smallest honest CRM: checks the signature on the raw bytes, applies each event once by its id, answers after that. */
import { createServer } from "node:http";
import { verify } from "../../hub/contract/signature.ts";
import { asEvent, type ReceivedEvent } from "./received-event.ts";

export interface DemoCrm {
  url: string;
  /** Events applied, by name. */
  counts(): Map<string, number>;
  /** How many times each incoming WhatsApp message was applied: 1 everywhere is the promise. */
  messages(): Map<string, number>;
  /** Requests refused for their signature. */
  refused(): number;
  onEvent(listener: (event: ReceivedEvent) => void): void;
  stop(): Promise<void>;
}

export async function startDemoCrm({ secret }: { secret: string }): Promise<DemoCrm> {
  const applied = new Set<string>();
  const counts = new Map<string, number>();
  const messages = new Map<string, number>();
  const listeners: ((event: ReceivedEvent) => void)[] = [];
  let refused = 0;

  function apply(event: ReceivedEvent): void {
    if (applied.has(event.id)) return; // at least once: the same id again is a repeat, not a second message
    applied.add(event.id);
    counts.set(event.event, (counts.get(event.event) ?? 0) + 1);
    if (event.messageId !== null && event.event === "message.received" && !event.fromMe)
      messages.set(event.messageId, (messages.get(event.messageId) ?? 0) + 1);
    for (const listener of listeners) listener(event);
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const genuine = verify({ secrets: [secret], headers: request.headers, body, now: new Date() }).ok;
      if (genuine) apply(asEvent(body));
      else refused += 1;
      response.writeHead(genuine ? 200 : 401, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ success: genuine }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the CRM did not get a port");

  return {
    url: `http://127.0.0.1:${address.port}/webhook`,
    counts: () => counts,
    messages: () => messages,
    refused: () => refused,
    onEvent: (listener) => void listeners.push(listener),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
