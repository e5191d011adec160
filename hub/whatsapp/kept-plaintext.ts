/** What a ciphertext gave when it was decrypted, as it was kept beside its stanza. */
import type { Cipher } from "../core/cipher.ts";
import type { Log } from "../core/log.ts";
import type { IntakeStore } from "../core/store.ts";
import { plaintextPlace } from "./journal.ts";

/**
 * Null when nothing was kept, and when what was kept is damaged: then the message is missing and the phone is asked for it,
 * where an error would end every connection of the session anew.
 */
export async function keptPlaintext(
  encId: Uint8Array,
  {
    sessionId,
    store,
    cipher,
    log,
  }: { sessionId: string; store: Pick<IntakeStore, "plaintext">; cipher: Cipher; log: Log },
): Promise<Uint8Array | null> {
  const sealed = await store.plaintext(sessionId, encId);
  if (sealed === null) return null;
  try {
    return cipher.open(plaintextPlace(encId), sealed);
  } catch (err) {
    log.error({ sessionId, err }, "whatsapp.plaintext_unreadable");
    return null;
  }
}
