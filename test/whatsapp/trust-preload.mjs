/**
 * `node --import …/trust-preload.mjs program`: the program takes the emulator at WHATSAPP_EMULATOR_URL for WhatsApp. Nothing is
 * changed on disk, and the program itself has no switch for it.
 */
import { register } from "node:module";
import { wireTrust } from "./trust-wiring.mjs";

const url = process.env.WHATSAPP_EMULATOR_URL;
if (!url) throw new Error("trust-preload: WHATSAPP_EMULATOR_URL has to name the emulator's admin URL");
const answer = await globalThis.fetch(new URL("/admin/trust", url));
if (!answer.ok) throw new Error(`trust-preload: ${url} answered ${answer.status}`);
const trust = await answer.json();

register("./trust-loader.mjs", { parentURL: import.meta.url, data: { rootKey: trust.rootKey } });
wireTrust({ url, trust });
