/** A healthy CRM in its own process: answers at once, and checks that nothing came twice or out of its chat's order. */
import { createServer } from "node:http";

const KEEP_ALIVE_MS = 60_000;
const ANSWER = '{"success":true}';

let counts = { requests: 0, duplicated: 0, outOfOrder: 0 };
let latest = new Map<string, number>();
let seen = new Set<string>();

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    counts.requests += 1;
    const id = String(request.headers["webhook-id"]);
    const seq = Number(request.headers["x-webhook-seq"]);
    const chat = /"chatId":"([^"]+)"/.exec(Buffer.concat(chunks).toString("utf8"))?.[1] ?? "";
    if (seen.has(id)) counts.duplicated += 1;
    else if (seq < (latest.get(chat) ?? 0)) counts.outOfOrder += 1;
    seen.add(id);
    latest.set(chat, seq);
    response.writeHead(200, { "content-type": "application/json", "content-length": ANSWER.length });
    response.end(ANSWER);
  });
});
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" && address !== null ? address.port : 0 });
});

process.on("message", (order) => {
  if (order === "counts") process.send?.(counts);
  if (order === "forget") {
    counts = { requests: 0, duplicated: 0, outOfOrder: 0 };
    latest = new Map();
    seen = new Set();
    process.send?.("forgotten");
  }
});
process.on("disconnect", () => process.exit(0));
