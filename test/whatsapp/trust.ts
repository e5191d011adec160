/** For tests that run a bare socket in their own process: what the preload does for a process of its own. */
import { WA_CERT_DETAILS } from "@whiskeysockets/baileys";
import type { Emulator } from "./emulator.ts";
import { wireTrust } from "./trust-wiring.mjs";

export async function trustEmulator({ url, trust }: Pick<Emulator, "url" | "trust">): Promise<void> {
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(trust.rootKey, "hex");
  await fetch(url); // Node makes its dispatcher with the first fetch
  wireTrust({ url, trust });
}
