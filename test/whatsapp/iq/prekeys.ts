/**
 * Key bundles (`encrypt`): the companion uploads its own and fetches others'. Baileys rc14: getNextPreKeysNode,
 * uploadPreKeysToServerIfRequired (0 on the server → 812, else 5 when 5 or fewer), parseAndInjectE2ESessions.
 */
import { createHash } from "node:crypto";
import { linkedCompanions } from "../state/account.ts";
import { takeBundle, type Companion } from "../state/companion.ts";
import type { PeerBundle } from "../signal/party.ts";
import { isLidJid, parseJid } from "../wire/jid.ts";
import {
  bytesOf,
  childOf,
  childrenOf,
  requiredBytes,
  stanza,
  uintBytes,
  uintOf,
  type Stanza,
} from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { OK, type IqHandler } from "./answer.ts";

const CURVE_TYPE = Buffer.from([5]);
const KEY_ID_BYTES = 3;

export const countPreKeys: IqHandler = ({ companion }) => [
  stanza("count", { value: companion.preKeys.length }),
];

export const storePreKeys: IqHandler = ({ iq, companion }) => {
  companion.registrationId = uintOf(requiredBytes(iq, "registration"));
  companion.signedPreKey = readSignedPreKey(childOf(iq, "skey"));
  for (const key of childrenOf(childOf(iq, "list")))
    companion.preKeys.push({ id: uintOf(requiredBytes(key, "id")), public: requiredBytes(key, "value") });
  return OK;
};

export const rotateSignedPreKey: IqHandler = ({ query, companion }) => {
  companion.signedPreKey = readSignedPreKey(childOf(query, "skey"));
  return OK;
};

/** What the server holds, for comparison; without a `<digest>` Baileys would upload everything again. */
export const digestKeys: IqHandler = ({ companion }) => {
  const { signedPreKey, preKeys } = companion;
  return [
    stanza("digest", {}, [
      stanza("registration", {}, uintBytes(companion.registrationId, 4)),
      stanza("type", {}, CURVE_TYPE),
      stanza("identity", {}, companion.identity),
      skey(signedPreKey),
      stanza(
        "list",
        {},
        preKeys.map(({ id }) => stanza("id", {}, uintBytes(id, KEY_ID_BYTES))),
      ),
      stanza("hash", {}, createHash("sha1").update(companion.identity).update(signedPreKey.public).digest()),
    ]),
  ];
};

export const fetchKeys: IqHandler = ({ query }, world) => {
  const users: Stanza[] = [];
  for (const { attrs } of childrenOf(query)) {
    const jid = attrs["jid"];
    const bundle = jid === undefined ? undefined : bundleOf(jid, world);
    // Somebody unknown is left out: one `<error>` anywhere and Baileys throws for everybody.
    if (jid !== undefined && bundle) users.push(stanza("user", { jid }, bundleChildren(bundle)));
  }
  return [stanza("list", {}, users)];
};

function bundleOf(
  jid: string,
  { people, accounts }: Pick<World, "people" | "accounts">,
): PeerBundle | undefined {
  const { user, device } = parseJid(jid);
  const person = isLidJid(jid) ? people.find(jid) : people.get(user);
  if (!person) return undefined;
  if (device === 0) return person.party().bundle();
  const account = accounts.get(person.pn);
  const companion = account && linkedCompanions(account).find((one: Companion) => one.device === device);
  return companion && takeBundle(companion);
}

function bundleChildren({ registrationId, identity, signedPreKey, preKey }: PeerBundle): Stanza[] {
  return [
    stanza("registration", {}, uintBytes(registrationId, 4)),
    stanza("type", {}, CURVE_TYPE),
    stanza("identity", {}, Buffer.from(identity)),
    skey(signedPreKey),
    ...(preKey ? [key(preKey)] : []),
  ];
}

/** Also the `<keys>` of a retry receipt. */
export const retryKeys = (bundle: PeerBundle): Stanza =>
  stanza(
    "keys",
    {},
    bundleChildren(bundle).filter(({ tag }) => tag !== "registration"),
  );

const key = ({ id, public: value }: { id: number; public: Uint8Array }): Stanza =>
  stanza("key", {}, [stanza("id", {}, uintBytes(id, KEY_ID_BYTES)), stanza("value", {}, Buffer.from(value))]);

const skey = ({ id, public: value, signature }: PeerBundle["signedPreKey"]): Stanza =>
  stanza("skey", {}, [
    stanza("id", {}, uintBytes(id, KEY_ID_BYTES)),
    stanza("value", {}, Buffer.from(value)),
    stanza("signature", {}, Buffer.from(signature)),
  ]);

export function readSignedPreKey(node: Stanza | undefined): PeerBundle["signedPreKey"] {
  return {
    id: uintOf(requiredBytes(node, "id")),
    public: requiredBytes(node, "value"),
    signature: requiredBytes(node, "signature"),
  };
}

/** The keys that a retry receipt brings along, to start afresh with. */
export function readRetryKeys(receipt: Stanza): PeerBundle | undefined {
  const keys = childOf(receipt, "keys");
  const registration = bytesOf(childOf(receipt, "registration"));
  if (!keys || !registration) return undefined;
  const oneTime = childOf(keys, "key");
  return {
    registrationId: uintOf(registration),
    identity: requiredBytes(keys, "identity"),
    signedPreKey: readSignedPreKey(childOf(keys, "skey")),
    ...(oneTime
      ? { preKey: { id: uintOf(requiredBytes(oneTime, "id")), public: requiredBytes(oneTime, "value") } }
      : {}),
  };
}
