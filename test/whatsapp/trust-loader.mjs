/**
 * Module hook of trust-preload.mjs: whatever copy of Baileys the program loads, and whenever, it believes in the emulator's root
 * from its first line on. Importing Baileys in the preload instead would load libsignal before the program can harden it.
 */
import { Buffer } from "node:buffer";

const DEFAULTS = "/@whiskeysockets/baileys/lib/Defaults/index.js";
let rootKey;

export function initialize(data) {
  rootKey = data.rootKey;
}

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (!new URL(url).pathname.endsWith(DEFAULTS)) return loaded;
  const source = `${Buffer.from(loaded.source)}\nWA_CERT_DETAILS.PUBLIC_KEY = Buffer.from("${rootKey}", "hex");\n`;
  return { ...loaded, source };
}
