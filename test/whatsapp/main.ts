/** `npm run whatsapp`: the emulator alone. `--port N` (0: any), `--preset NAME` (an account to begin with), `--json` (for programs). */
import { parseArgs } from "node:util";
import { PRESETS, type PresetName } from "./holdings/dataset.ts";
import { startEmulator } from "./emulator.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8900" },
    preset: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const isPreset = (name: string): name is PresetName => name in PRESETS;
const { preset } = values;
if (preset !== undefined && !isPreset(preset)) {
  console.error(`--preset: one of ${Object.keys(PRESETS).join(", ")}`);
  process.exit(2);
}

const emulator = await startEmulator({ port: Number(values.port) });
const account = preset === undefined ? undefined : emulator.createAccount({ preset });

if (values.json)
  console.log(JSON.stringify({ ready: true, url: emulator.url, wsUrl: emulator.wsUrl, pid: process.pid }));
else
  console.log(`
WhatsApp emulator, for tests only
  page and routes   ${emulator.url}/
  WebSocket         ${emulator.wsUrl}
${account ? `  account           ${account.number}: ${account.contacts} contacts, ${account.chats} chats, ${account.messages} messages\n` : ""}
Start a program built on Baileys so that it takes this for WhatsApp:
  WHATSAPP_EMULATOR_URL=${emulator.url} \\
  WA_WEB_SOCKET_URL=${emulator.wsUrl} \\
  NODE_OPTIONS="--import ${new URL("trust-preload.mjs", import.meta.url).href}" \\
  npm start

Scan the QR code it shows (its text, not its picture):
  curl -X POST --data-binary "$QR" ${emulator.url}/admin/mock-phone/scan-qr

A contact writes:
  curl -X POST ${emulator.url}/admin/messages -d '{"kind":"text","text":"Hola"}'

Ctrl+C ends it; it remembers nothing.
`);

const stop = (): void => {
  void emulator.stop().then(() => process.exit(0));
};
process.on("SIGINT", stop);
process.on("SIGTERM", stop);
// Started by a program: it must not outlive it.
if (values.json) process.stdin.on("end", stop).resume();
