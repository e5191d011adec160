import { openWhatsAppRig } from "./whatsapp-rig.ts";
import { spawnEmulator } from "../whatsapp/spawn.ts";
import { linkBareSocket } from "../whatsapp/bare-socket.ts";
import { wireTrust } from "../whatsapp/trust-wiring.mjs";
import { WA_CERT_DETAILS } from "@whiskeysockets/baileys";
const [mode, countText] = process.argv.slice(2);
const emulator: any = await spawnEmulator();
const trust: any = await (await fetch(emulator.environment.WHATSAPP_EMULATOR_URL + "/admin/trust")).json();
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(trust.rootKey, "hex");
wireTrust({ url: emulator.environment.WHATSAPP_EMULATOR_URL, trust });
const keep: any[] = [];
const one = async () => {
  const account = await emulator.createAccount({ preset: "empty" });
  if (mode === "bare") keep.push(await linkBareSocket({ wsUrl: emulator.wsUrl, scan: (qr) => emulator.scanQr(qr, account.number) }));
  else { const rig = await openWhatsAppRig(emulator, { number: account.number, inMemory: false }); await rig.connect(); keep.push(rig); }
};
const measure = async () => { for (let i = 0; i < 5; i++) { (globalThis as any).gc(); await new Promise((r) => setTimeout(r, 300)); } const m = process.memoryUsage(); return { rss: m.rss / 1e6, heap: m.heapUsed / 1e6, ext: m.external / 1e6 }; };
await one(); await one();
await new Promise((r) => setTimeout(r, 21000));
const before = await measure();
const n = Number(countText);
for (let i = 0; i < n; i++) await one();
await new Promise((r) => setTimeout(r, 25000));
const after = await measure();
console.log(mode, "per session MB: rss", ((after.rss - before.rss) / n).toFixed(2), "heap", ((after.heap - before.heap) / n).toFixed(2), "ext", ((after.ext - before.ext) / n).toFixed(2), "total rss", after.rss.toFixed(0));
await emulator.stop(); process.exit(0);
