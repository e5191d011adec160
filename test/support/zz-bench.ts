import { openWhatsAppRig } from "./whatsapp-rig.ts";
import { spawnEmulator } from "../whatsapp/spawn.ts";
import { openBareSocket, linkBareSocket } from "../whatsapp/bare-socket.ts";
import { wireTrust } from "../whatsapp/trust-wiring.mjs";
import { WA_CERT_DETAILS } from "@whiskeysockets/baileys";
import { until } from "./until.ts";
const [mode, kind, countText, rateText] = process.argv.slice(2);
const count = Number(countText), rate = Number(rateText ?? 0);
const emulator: any = await spawnEmulator();
const t = await (await fetch(emulator.environment.WHATSAPP_EMULATOR_URL + "/admin/trust")).json();
const trust = t as any;
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(trust.rootKey, "hex");
wireTrust({ url: emulator.environment.WHATSAPP_EMULATOR_URL, trust });
const account = await emulator.createAccount({ preset: "small", size: { messages: 0, activeChats: 0 } });
const burst = { count, perSecond: rate, contacts: 10, groupShare: kind === "group" ? 1 : 0 };
let received = 0;
let done: () => Promise<any> = async () => {};
if (mode === "bare") {
  const bare: any = await linkBareSocket({ wsUrl: emulator.wsUrl, scan: (qr) => emulator.scanQr(qr, account.number) });
  bare.sock.ev.on("messages.upsert", ({ messages }: any) => { received += messages.filter((m: any) => m.message && (m.message.conversation || m.message.extendedTextMessage)).length; });
  done = () => bare.end();
} else {
  const rig = await openWhatsAppRig(emulator, { number: account.number });
  await rig.connect();
  rig.recorded.length = 0;
  const push = rig.recorded.push.bind(rig.recorded);
  rig.recorded.push = (...e: any[]) => { for (const x of e) received += x.facts.filter((f: any) => f.kind === "message").length; return 0; };
  done = () => rig.stop();
}
await new Promise((r) => setTimeout(r, 1500));
// warm-up
await emulator.startBurst({ ...burst, count: 300 });
await until("warm", () => received >= 300, { timeoutMs: 60000 });
await new Promise((r) => setTimeout(r, 500));
received = 0;
if (process.env.PROF) { const { Session } = await import("node:inspector"); const s = new Session(); s.connect(); (globalThis as any).prof = s; await new Promise<void>((r) => s.post("Profiler.enable", () => s.post("Profiler.setSamplingInterval", { interval: 200 }, () => s.post("Profiler.start", () => r())))); }
const cpu = process.cpuUsage(), at = performance.now();
await emulator.startBurst(burst);
await until("all", () => received >= count, { timeoutMs: 120000, everyMs: 50 });
const used = process.cpuUsage(cpu), wall = performance.now() - at;
console.log(JSON.stringify({ mode, kind, count, rate, cpuMsPerMessage: +((used.user + used.system) / 1000 / count).toFixed(3), user: +(used.user / 1000 / count).toFixed(3), sys: +(used.system / 1000 / count).toFixed(3), wallMs: Math.round(wall), rssMb: Math.round(process.memoryUsage().rss / 1e6) }));
if (process.env.PROF) { const s = (globalThis as any).prof; await new Promise<void>((r) => s.post("Profiler.stop", async (_: any, { profile }: any) => { (await import("node:fs")).writeFileSync(process.env.PROF!, JSON.stringify(profile)); r(); })); }
await done().catch(() => {});
await emulator.stop();
process.exit(0);
