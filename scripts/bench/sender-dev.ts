import http from "node:http"; import { fork } from "node:child_process"; import { once } from "node:events"; import { fileURLToPath } from "node:url";
import { createAddressGuard } from "../../hub/core/webhook-address.ts"; import { createSender } from "../../hub/outbox/sender.ts";
const child = fork(fileURLToPath(new URL("./outbox-receiver.ts", import.meta.url))); const [h]: any[] = await once(child, "message");
const url = `http://127.0.0.1:${h.port}/hook`;
const guard = createAddressGuard({ allowCidrs: [], allowedUrls: [url] });
const sender = createSender({ url, ack: "body", timeoutMs: 15000, concurrency: 4 }, guard);
const body = Buffer.from(JSON.stringify({ id: "evt_01JZZZZZZZZZZZZZZZZZZZZZZB", seq: 1, data: { chatId: "a", x: "y".repeat(500) } }));
const headers = { "content-type": "application/json; charset=utf-8", "content-length": String(body.length), "user-agent": "InboxHub/0.1", "webhook-id": "evt", "webhook-timestamp": "1760000000", "webhook-signature": "v1,nIs+C3O7mE47B2CWDxeHO5gIkGhTjYe30XR4Rd0TFYk=", "x-webhook-event": "message.received", "x-webhook-session": "s1", "x-webhook-timestamp": String(Date.now()), "x-webhook-signature": "sha256=" + "a".repeat(64), "x-webhook-seq": "1", "x-webhook-attempt": "1" };
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 }); const u = new URL(url);
const bare = () => new Promise<string>((ok, no) => { const r = http.request(u, { method: "POST", agent, headers }, (res) => { const c: Buffer[] = []; res.on("data", (d: Buffer) => c.push(d)); res.on("end", () => ok(Buffer.concat(c).toString())); }); r.on("error", no); r.end(body); });
const N = 4000; const four = async (f: () => Promise<unknown>) => { let i = 0; await Promise.all([0, 1, 2, 3].map(async () => { while (i++ < N) await f(); })); };
const ways: Record<string, () => Promise<unknown>> = { bare, post: () => sender.post(body, { ...headers }) };
const only = process.argv[2]?.split(",") ?? Object.keys(ways);
const best: Record<string, number> = {};
for (let r = 0; r < 12; r++) for (const w of only) { const c = process.cpuUsage(), t = performance.now(); await four(ways[w]!); const x = process.cpuUsage(c); const ms = (x.user + x.system) / 1000 / N; best[w] = Math.min(best[w] ?? 9, ms); if (r > 9) console.log(w, "cpu", ms.toFixed(3), "wall", ((performance.now() - t) / N).toFixed(3)); }
console.log(best); sender.close(); agent.destroy(); child.disconnect();
