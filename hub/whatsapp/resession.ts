/**
 * Makes a login from an older copy safe to use: it stays the same device, but everything both sides agreed upon since the
 * copy may have been used already and goes. Peers agree anew when they are first written to, or ask for a retry.
 */
import type { Cipher } from "../core/cipher.ts";
import type { AuthStore } from "../core/store.ts";
import { credsBytes, fingerprintOf } from "./auth-state.ts";
import type { AuthenticationCreds } from "./baileys.ts";

/** More than a device hands out between two copies. */
const PRE_KEY_JUMP = 10_000;
/** WhatsApp writes these ids in three bytes. */
const MAX_PRE_KEY_ID = 0xff_ff_ff;

/** Ratchets, and who was given our keys of groups: all of them. */
const SHARED = ["session", "sender-key-memory"];

export async function resession(
  creds: AuthenticationCreds,
  { sessionId, auth, cipher }: { sessionId: string; auth: AuthStore; cipher: Cipher },
): Promise<AuthenticationCreds> {
  // One key of the jump is the library's proof that keys must be uploaded at the next connection: it does not exist.
  const next = 1 + ((creds.nextPreKeyId + PRE_KEY_JUMP) % (MAX_PRE_KEY_ID - PRE_KEY_JUMP));
  const renewed = { ...creds, nextPreKeyId: next, firstUnuploadedPreKeyId: next };
  const rows = (await auth.loginRows(sessionId))?.keys ?? [];
  const own = ownUsers(creds);
  const keys = rows
    .filter(({ type, id }) => SHARED.includes(type) || (type === "sender-key" && own.has(senderOf(id))))
    .map(({ type, id }) => ({ type, id, value: null }));
  await auth.commit(sessionId, {
    creds: cipher.seal("creds", credsBytes(renewed)),
    fingerprint: fingerprintOf(renewed),
    keys,
    intake: [],
    renewed: true,
  });
  return renewed;
}

/** `<group>::<user>::<device>`; users of hidden ids carry a number of their kind. */
const senderOf = (id: string): string => id.split("::")[1]?.split("_")[0] ?? "";

const ownUsers = ({ me }: AuthenticationCreds): Set<string> =>
  new Set([me?.id, me?.lid].flatMap((jid) => (jid ? [jid.split("@")[0]?.split(":")[0] ?? ""] : [])));
