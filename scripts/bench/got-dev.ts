import http from "node:http"; import { fork } from "node:child_process"; import { once } from "node:events"; import { fileURLToPath } from "node:url";
import got, { Options } from "got";
const child = fork(fileURLToPath(new URL("./outbox-receiver.ts", import.meta.url))); const [h]: any[] = await once(child, "message");
const url = `http://127.0.0.1:${h.port}/hook`;
const body = Buffer.from(JSON.stringify({ id: "evt_01JZZZZZZZZZZZZZZZZZZZZZZB", seq: 1, data: { chatId: "a", x: "y".repeat(500) } }));
const headers = { "content-type": "application/json; charset=utf-8", "content-length": String(body.length), "user-agent": "InboxHub/0.1", "webhook-id": "evt", "webhook-timestamp": "1760000000", "webhook-signature": "v1,nIs+C3O7mE47B2CWDxeHO5gIkGhTjYe30XR4Rd0TFYk=", "x-webhook-event": "message.received", "x-webhook-session": "s1", "x-webhook-timestamp": String(Date.now()), "x-webhook-signature": "sha256=" + "a".repeat(64), "x-webhook-seq": "1", "x-webhook-attempt": "1" };
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 }); const u = new URL(url);
const bare = () => new Promise<string>((ok, no) => { const r = http.request(u, { method: "POST", agent, headers }, (res) => { const c: Buffer[] = []; res.on("data", (d: Buffer) => c.push(d)); res.on("end", () => ok(Buffer.concat(c).toString())); }); r.on("error", no); r.end(body); });
const mk = (extra: object = {}, timeout: object = { connect: 3000, request: 15000 }) => { const o = new Options(url, { method: "POST", isStream: true, agent: { http: new http.Agent({ keepAlive: true, maxSockets: 4 }) }, retry: { limit: 0 }, followRedirect: false, throwHttpErrors: false, decompress: false, timeout, ...extra } as any); return o; };
const read = (s: any) => new Promise<string>((ok, no) => { const c: Buffer[] = []; s.on("data", (d: Buffer) => c.push(d)); s.on("end", () => ok(Buffer.concat(c).toString())); s.on("error", no); });
const run = (o: any, g: any = got) => () => { o.headers = { ...headers }; o.body = body; return read(g(undefined, undefined, o)); };
const leanAgent = new http.Agent({ keepAlive: true, maxSockets: 4 });
const lean = (url: any, o: any) => http.request({ method: "POST", protocol: "http:", hostname: u.hostname, port: u.port, path: u.pathname + u.search, agent: leanAgent, headers: o.headers });
const native = { method: "POST" };
const g2 = got.extend({ handlers: [(o: any, next: any) => { o.createNativeRequestOptions = () => o; return next(o); }] });
const g3 = got.extend({ handlers: [(o: any, next: any) => { o.createNativeRequestOptions = () => native; return next(o); }] });
void g3;

const withNative = (make: (n: any) => any) => { const base = mk({}); const n = make(base.createNativeRequestOptions()); const g = got.extend({ handlers: [(o: any, next: any) => { o.createNativeRequestOptions = () => { n.headers = o.headers; return n; }; return next(o); }] }); return run(base, g); };
const leaned = (n: any) => Object.fromEntries(Object.entries(n).filter(([, v]) => v !== undefined));
const N = 4000; const four = async (f: () => Promise<unknown>) => { let i = 0; await Promise.all([0, 1, 2, 3].map(async () => { while (i++ < N) await f(); })); };
const ways: Record<string, () => Promise<unknown>> = { bare, got: run(mk()), cachedfat: withNative((n) => n), cachedassign: withNative((n) => Object.assign({}, n)), cachedlean: withNative(leaned) };
const only = process.argv[2]?.split(",") ?? Object.keys(ways);
const best: Record<string, number> = {};
for (let r = 0; r < 10; r++) for (const w of only) { const c = process.cpuUsage(); await four(ways[w]!); const x = process.cpuUsage(c); const ms = (x.user + x.system) / 1000 / N; best[w] = Math.min(best[w] ?? 9, ms); }
console.log(best); child.disconnect(); process.exit(0);
