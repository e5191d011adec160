/**
 * Sends a process's WhatsApp downloads and uploads to the emulator. Baileys rc14 fetches `https://mmg.whatsapp.net<path>` through
 * Node's global fetch dispatcher, and uploads with https.request to the host that `media_conn` names.
 */
import https from "node:https";
import tls from "node:tls";

const DISPATCHER = Symbol.for("undici.globalDispatcher.1");
const isWhatsAppHost = (host) => host === "whatsapp.net" || host.endsWith(".whatsapp.net");

/** The emulator that is asked; of several in a row, the last. */
let current;
let isWired = false;

/** `fetch` must have been used once before, as Node makes its dispatcher then. */
export function wireTrust({ url, trust }) {
  const { hostname, port } = new URL(`https://${trust.mediaHost}`);
  current = { url, ca: trust.ca, hostname, port };
  if (isWired) return;
  isWired = true;
  redirectFetch();
  redirectHttps();
}

const isOurs = (host, port) =>
  isWhatsAppHost(host) || (host === current.hostname && String(port) === current.port);

function redirectFetch() {
  const original = globalThis[DISPATCHER];
  if (!original) throw new Error("call fetch() once before wireTrust()");
  globalThis[DISPATCHER] = new Proxy(original, {
    get(target, name) {
      if (name === "dispatch") return (options, handler) => target.dispatch(redirected(options), handler);
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function redirected(options) {
  const { hostname, port } = new URL(options.origin);
  return isOurs(hostname, port) ? { ...options, origin: current.url } : options;
}

function redirectHttps() {
  const agent = https.globalAgent;
  const original = agent.createConnection;
  agent.createConnection = function (options, done) {
    if (!isOurs(options.host ?? "", options.port)) return original.call(this, options, done);
    return tls.connect({ ...options, host: current.hostname, port: Number(current.port), ca: [current.ca] });
  };
}
