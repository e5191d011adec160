/**
 * A small program as anyone might have it: plain Baileys, its keys in memory. It shows its QR code as a line of JSON, then what
 * becomes of it. Used to try the trust preload on a process of its own.
 */
import { createHash } from "node:crypto";
import { downloadMediaMessage, initAuthCreds, makeWASocket } from "@whiskeysockets/baileys";
import { pino } from "pino";

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const creds = initAuthCreds();
const stored = new Map();
const keys = {
  get: (type, ids) =>
    Object.fromEntries(ids.map((id) => [id, stored.get(`${type} ${id}`)]).filter(([, value]) => value)),
  set: (data) => {
    for (const [type, values] of Object.entries(data))
      for (const [id, value] of Object.entries(values)) stored.set(`${type} ${id}`, value);
  },
};
// libsignal writes its sessions to the console.
for (const name of ["log", "info", "warn", "error"]) console[name] = () => undefined;

function connect() {
  const sock = makeWASocket({
    waWebSocketUrl: process.env.WA_WEB_SOCKET_URL,
    auth: { creds, keys },
    logger: pino({ level: "silent" }),
  });
  sock.ev.on("creds.update", (update) => Object.assign(creds, update));
  sock.ev.on("connection.update", ({ qr, connection, lastDisconnect }) => {
    if (qr) say({ qr });
    if (connection === "open") say({ open: creds.me.id });
    if (connection !== "close") return;
    const status = lastDisconnect?.error?.output?.statusCode;
    if (status === 515) connect();
    else say({ closed: status, why: lastDisconnect?.error?.message });
  });
  sock.ev.on("messages.upsert", async ({ messages }) => {
    for (const message of messages) {
      const { conversation, imageMessage } = message.message ?? {};
      if (conversation) {
        say({ text: conversation });
        await sock.sendMessage(message.key.remoteJid, { text: `re: ${conversation}` });
      }
      if (!imageMessage) continue;
      const image = await downloadMediaMessage(message, "buffer", {});
      say({ image: createHash("sha256").update(image).digest("hex") });
      await sock.sendMessage(message.key.remoteJid, {
        document: image,
        mimetype: "image/png",
        fileName: "again.png",
      });
    }
  });
}

connect();
