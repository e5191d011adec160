/**
 * Sends a process's WhatsApp downloads and uploads to the emulator. Baileys rc14 fetches `https://mmg.whatsapp.net<path>` through
 * Node's global fetch dispatcher, and uploads with https.request to the host that `media_conn` names.
 */
import https from "node:https";
import tls from "node:tls";

const DISPATCHER = Symbol.for("undici.globalDispatcher.1");
const isWhatsAppHost = (host) => host === "whatsapp.net" || host.endsWith(".whatsapp.net");

/** Wiring twice is fine: the later emulator is asked. `fetch` must have been used once, as Node makes its dispatcher then. */
export function wireTrust({ url, trust }) {
  const media = new URL(`https://${trust.mediaHost}`);
  const isOurs = (host, port) => isWhatsAppHost(host) || (host === media.hostname && String(port) === media.port);
  redirectFetch(url, (origin) => isOurs(origin.hostname, origin.port));
  redirectHttps(media, trust.ca, isOurs);
}

function redirectFetch(url, isOurs) {
  const original = globalThis[DISPATCHER];
  if (!original) throw new Error("call fetch() once before wireTrust()");
  globalThis[DISPATCHER] = new Proxy(original, {
    get(target, name) {
      if (name === "dispatch")
        return (options, handler) =>
          target.dispatch(isOurs(new URL(options.origin)) ? { ...options, origin: url } : options, handler);
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function redirectHttps(media, ca, isOurs) {
  const agent = https.globalAgent;
  const original = agent.createConnection;
  agent.createConnection = function (options, done) {
    if (!isOurs(options.host ?? "", options.port)) return original.call(this, options, done);
    return tls.connect({ ...options, host: media.hostname, port: Number(media.port), ca: [ca] });
  };
}
