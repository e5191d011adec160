/** The Signal of Baileys as a socket would use it, over a key store in memory: the other side for the emulator's own. */
import {
  addTransactionCapability,
  DEFAULT_CONNECTION_CONFIG,
  initAuthCreds,
  type SignalDataSet,
  type SignalDataTypeMap,
} from "@whiskeysockets/baileys";
import pino from "pino";
import { generateKeyPair, withTypeByte } from "../whatsapp/signal/curve.ts";
import type { Ciphertext, PeerBundle } from "../whatsapp/signal/party.ts";

const CONTACT = "5511999@lid";
export const HUB = "1234:7@lid";
export const GROUP = "120363@g.us";

/** The hub in talk with one contact, alone and in a group. Texts in and out; everything else as it travels. */
export async function aBaileysSignal() {
  const creds = initAuthCreds();
  const logger = pino({ level: "silent" });
  const store = new Map<string, unknown>();
  const keys = addTransactionCapability(
    {
      get: <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
        const found: { [id: string]: SignalDataTypeMap[T] } = {};
        for (const id of ids) {
          // Baileys' store is typed by the kind of key; what went in under a kind comes out under it.
          const value = store.get(`${type} ${id}`) as SignalDataTypeMap[T] | undefined;
          if (value !== undefined) found[id] = value;
        }
        return found;
      },
      set: (data: SignalDataSet) => {
        for (const [type, values] of Object.entries(data)) {
          for (const [id, value] of Object.entries(values)) {
            if (value === null) store.delete(`${type} ${id}`);
            else store.set(`${type} ${id}`, value);
          }
        }
      },
    },
    logger,
    { maxCommitRetries: 1, delayBetweenTriesMs: 1 },
  );
  const signal = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds, keys }, logger);
  const newPreKeys = Object.fromEntries([1, 2, 3, 4, 5].map((id) => [id, generateKeyPair()]));
  await keys.set({ "pre-key": newPreKeys });
  const hasPreKey = async (id: number) => Object.keys(await keys.get("pre-key", [`${id}`])).length > 0;

  return {
    hasPreKey,
    bundle: async (id: number): Promise<PeerBundle> => {
      const { [id]: preKey } = await keys.get("pre-key", [`${id}`]);
      const { keyPair, keyId, signature } = creds.signedPreKey;
      return {
        registrationId: creds.registrationId,
        identity: creds.signedIdentityKey.public,
        signedPreKey: { id: keyId, public: keyPair.public, signature },
        ...(preKey ? { preKey: { id, public: preKey.public } } : {}),
      };
    },
    knows: ({ registrationId, identity, signedPreKey, preKey }: PeerBundle) =>
      signal.injectE2ESession({
        jid: CONTACT,
        session: {
          registrationId,
          identityKey: withTypeByte(identity),
          signedPreKey: {
            keyId: signedPreKey.id,
            publicKey: withTypeByte(signedPreKey.public),
            signature: signedPreKey.signature,
          },
          ...(preKey ? { preKey: { keyId: preKey.id, publicKey: withTypeByte(preKey.public) } } : {}),
        },
      }),
    reads: async ({ type, ciphertext }: Ciphertext) =>
      Buffer.from(await signal.decryptMessage({ jid: CONTACT, type, ciphertext })).toString(),
    writes: async (said: string): Promise<Ciphertext> => {
      const { type, ciphertext } = await signal.encryptMessage({ jid: CONTACT, data: Buffer.from(said) });
      return { type, ciphertext: Buffer.from(ciphertext) };
    },
    acceptsSenderKey: (axolotlSenderKeyDistributionMessage: Uint8Array) =>
      signal.processSenderKeyDistributionMessage({
        item: { groupId: GROUP, axolotlSenderKeyDistributionMessage },
        authorJid: CONTACT,
      }),
    readsGroup: async (msg: Uint8Array) =>
      Buffer.from(await signal.decryptGroupMessage({ group: GROUP, authorJid: CONTACT, msg })).toString(),
    writesGroup: (said: string) =>
      signal.encryptGroupMessage({ group: GROUP, meId: HUB, data: Buffer.from(said) }),
  };
}
