/**
 * A healthy CRM in its own process: answers at once, and checks that nothing came twice or out of its chat's order. Bare
 * posts go to another path: they cost it the same and are counted apart.
 */
import { createServer } from "node:http";

const KEEP_ALIVE_MS = 60_000;
const ANSWER = '{"success":true}';

interface Tally {
  counts: { requests: number; duplicated: number; outOfOrder: number };
  latest: Map<string, number>;
  seen: Set<string>;
}

const newTally = (): Tally => ({
  counts: { requests: 0, duplicated: 0, outOfOrder: 0 },
  latest: new Map(),
  seen: new Set(),
});
const hooks = newTally();
const bare = newTally();

function count({ counts, latest, seen }: Tally, id: string, seq: number, body: string): void {
  const chat = /"chatId":"([^"]+)"/.exec(body)?.[1] ?? "";
  counts.requests += 1;
  if (seen.has(id)) counts.duplicated += 1;
  else if (seq < (latest.get(chat) ?? 0)) counts.outOfOrder += 1;
  seen.add(id);
  latest.set(chat, seq);
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("utf8");
    const { headers, url } = request;
    const tally = url === "/hook" ? hooks : bare;
    count(tally, String(headers["webhook-id"]), Number(headers["x-webhook-seq"]), body);
    response.writeHead(200, { "content-type": "application/json", "content-length": ANSWER.length });
    response.end(ANSWER);
  });
});
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" && address !== null ? address.port : 0 });
});

process.on("message", () => process.send?.(hooks.counts));
process.on("disconnect", () => process.exit(0));
