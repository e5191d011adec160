/** How the emulator's phone links a companion, by QR code and by pairing code, against what Baileys does on its end. */
import { randomBytes } from "node:crypto";
import {
  aesDecryptCTR,
  aesEncryptCTR,
  aesEncryptGCM,
  configureSuccessfulPairing,
  Curve,
  derivePairingCodeKey,
  getBinaryNodeChild,
  hkdf,
  initAuthCreds,
  proto,
} from "@whiskeysockets/baileys";
import { describe, expect, test } from "vitest";
import {
  deviceIdentityNodeBytes,
  issueDeviceIdentity,
  sealDeviceIdentity,
} from "../whatsapp/crypto/device-identity.ts";
import { enterPairingCode } from "../whatsapp/crypto/pairing-code.ts";
import { verify } from "../whatsapp/signal/curve.ts";
import { createParty } from "../whatsapp/signal/party.ts";

describe("linking a companion", () => {
  const link = (wrongAccountSignature: boolean) => {
    const creds = initAuthCreds();
    const { identityKeyPair: phoneIdentity } = createParty();
    const companionIdentity = creds.signedIdentityKey.public;
    const issued = issueDeviceIdentity({
      phoneIdentity,
      companionIdentity,
      keyIndex: 3,
      wrongAccountSignature,
    });
    const sealed = sealDeviceIdentity(issued, Buffer.from(creds.advSecretKey, "base64"));
    const pairSuccess = (content: Buffer) => ({
      tag: "iq",
      attrs: { id: "1" },
      content: [
        {
          tag: "pair-success",
          attrs: {},
          content: [
            { tag: "device-identity", attrs: {}, content },
            { tag: "device", attrs: { jid: "5511:3@s.whatsapp.net", lid: "99:3@lid" } },
          ],
        },
      ],
    });
    const accept = (content = sealed) => configureSuccessfulPairing(pairSuccess(content), creds);
    return { creds, phoneIdentity, companionIdentity, issued, sealed, accept };
  };
  const signedByAccount = ({ issued, companionIdentity }: ReturnType<typeof link>) =>
    verify(
      issued.accountSignatureKey,
      Buffer.concat([Buffer.from([6, 0]), issued.details, companionIdentity]),
      issued.accountSignature,
    );
  const answerOf = ({ accept }: Pick<ReturnType<typeof link>, "accept">) => {
    const pairDeviceSign = getBinaryNodeChild(accept().reply, "pair-device-sign");
    const identity = getBinaryNodeChild(pairDeviceSign, "device-identity");
    if (!(identity?.content instanceof Uint8Array)) throw new Error("no device identity in the reply");
    expect(identity.attrs["key-index"]).toBe("3");
    return identity.content;
  };

  test("Baileys takes what the phone signed, and signs it itself", () => {
    const linking = link(false);
    expect(signedByAccount(linking)).toBe(true);
    const answer = answerOf(linking);
    const complete = deviceIdentityNodeBytes(linking.issued, linking.companionIdentity, answer);
    const identity = proto.ADVSignedDeviceIdentity.decode(complete);
    expect(Buffer.from(identity.accountSignatureKey ?? [])).toEqual(linking.phoneIdentity.public);
    expect(proto.ADVDeviceIdentity.decode(identity.details ?? Buffer.alloc(0)).keyIndex).toBe(3);
    expect(identity.deviceSignature?.length).toBe(64);
  });

  test("Baileys refuses an identity under another adv secret", () => {
    const linking = link(false);
    expect(() => linking.accept(sealDeviceIdentity(linking.issued, randomBytes(32)))).toThrow(
      "Invalid account signature",
    );
  });

  test("a wrong account signature is wrong in nothing else", () => {
    const linking = link(true);
    expect(signedByAccount(linking)).toBe(false);
    const { details, hmac } = proto.ADVSignedDeviceIdentityHMAC.decode(linking.sealed);
    expect(hmac?.length).toBe(32);
    expect(proto.ADVSignedDeviceIdentity.decode(details ?? Buffer.alloc(0)).accountSignature?.length).toBe(
      64,
    );
  });

  test("a device signature of another companion is refused", () => {
    const linking = link(false);
    const other = answerOf(link(false));
    expect(() => deviceIdentityNodeBytes(linking.issued, linking.companionIdentity, other)).toThrow(
      "device signature",
    );
  });
});

describe("a pairing code", () => {
  /** What Baileys does when it is given a code, with its own functions. */
  const companion = async (code: string) => {
    const { signedIdentityKey, pairingEphemeralKeyPair } = initAuthCreds();
    const [salt, iv] = [randomBytes(32), randomBytes(16)];
    const wrapped = aesEncryptCTR(pairingEphemeralKeyPair.public, await derivePairingCodeKey(code, salt), iv);
    return {
      signedIdentityKey,
      wrappedEphemeral: Buffer.concat([salt, iv, wrapped]),
      finish: async (hello: { wrappedPrimaryEphemeralPub: Buffer; primaryIdentityPub: Buffer }) => {
        const from = hello.wrappedPrimaryEphemeralPub;
        const key = await derivePairingCodeKey(code, from.subarray(0, 32));
        const primaryEphemeral = aesDecryptCTR(from.subarray(48, 80), key, from.subarray(32, 48));
        const shared = Curve.sharedKey(pairingEphemeralKeyPair.private, primaryEphemeral);
        const [random, bundleSalt, bundleIv] = [randomBytes(32), randomBytes(32), randomBytes(12)];
        const info = "link_code_pairing_key_bundle_encryption_key";
        const bundleKey = Buffer.from(hkdf(shared, 32, { salt: bundleSalt, info }));
        const bundle = Buffer.concat([signedIdentityKey.public, hello.primaryIdentityPub, random]);
        const sealed = aesEncryptGCM(bundle, bundleKey, bundleIv, Buffer.alloc(0));
        const identities = Curve.sharedKey(signedIdentityKey.private, hello.primaryIdentityPub);
        return {
          wrappedKeyBundle: Buffer.concat([bundleSalt, bundleIv, sealed]),
          advSecret: Buffer.from(
            hkdf(Buffer.concat([shared, identities, random]), 32, { info: "adv_secret" }),
          ),
        };
      },
    };
  };
  const enter = (code: string, { wrappedEphemeral }: Awaited<ReturnType<typeof companion>>) =>
    enterPairingCode({
      code,
      phoneIdentity: createParty().identityKeyPair,
      wrappedCompanionEphemeralPub: wrappedEphemeral,
    });

  test("both ends arrive at one adv secret", async () => {
    const hub = await companion("ABCD1234");
    const phone = enter("ABCD1234", hub);
    const { wrappedKeyBundle, advSecret } = await hub.finish(phone.hello);
    const identityPublic = hub.signedIdentityKey.public;
    expect(phone.finish({ wrappedKeyBundle, identityPublic })).toEqual(advSecret);
    const imposter = createParty().identityKeyPair.public;
    expect(() => phone.finish({ wrappedKeyBundle, identityPublic: imposter })).toThrow("another companion");
  });

  test("a code typed wrong comes to nothing", async () => {
    const hub = await companion("ABCD1234");
    const phone = enter("ABCD1235", hub);
    const { wrappedKeyBundle } = await hub.finish(phone.hello);
    const identityPublic = hub.signedIdentityKey.public;
    expect(() => phone.finish({ wrappedKeyBundle, identityPublic })).toThrow();
  });
});
