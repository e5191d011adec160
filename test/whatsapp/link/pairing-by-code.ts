/**
 * Linking by an eight character code: the companion asks for it (`companion_hello`), the phone's owner types it, both agree
 * on the adv secret (`primary_hello`, `companion_finish`), then all goes on as after a scan. Baileys rc14: requestPairingCode.
 */
import { randomBytes } from "node:crypto";
import { enterPairingCode } from "../crypto/pairing-code.ts";
import type { Account } from "../state/account.ts";
import { FROM_SERVER, parseJid } from "../wire/jid.ts";
import { childOf, requiredBytes, stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { linkCompanion, type PairingOutcome } from "./pairing.ts";
import type { WaitingCompanion } from "./waiting-room.ts";

/** True when the stanza was the companion's request for a code. */
export function askForCode(
  node: Stanza,
  waiting: WaitingCompanion,
  { events }: Pick<World, "events">,
): boolean {
  const request = childOf(node, "link_code_companion_reg");
  if (node.tag !== "iq" || request?.attrs["stage"] !== "companion_hello") return false;
  const { user: number } = parseJid(request.attrs["jid"] ?? "@");
  const ref = randomBytes(16).toString("hex");
  waiting.code = {
    number,
    ref,
    wrappedCompanionEphemeralPub: requiredBytes(request, "link_code_pairing_wrapped_companion_ephemeral_pub"),
  };
  waiting.connection.send(
    stanza("iq", { from: FROM_SERVER, type: "result", id: node.attrs["id"] }, [
      stanza("link_code_companion_reg", { stage: "companion_hello" }, [
        stanza("link_code_pairing_ref", {}, Buffer.from(ref)),
      ]),
    ]),
  );
  events.emit({ type: "code.requested", account: number });
  return true;
}

/** The owner typed the code on the account's phone. */
export function enterCode(code: string, account: Account, world: World): Promise<PairingOutcome> {
  const waiting = world.waiting.byNumber(account.number);
  if (!waiting?.code)
    return Promise.resolve({ outcome: "refused", reason: "no companion asked for a code for this number" });
  const { ref, wrappedCompanionEphemeralPub } = waiting.code;
  const phone = enterPairingCode({
    code: code.replace(/[\s-]/g, "").toUpperCase(),
    phoneIdentity: account.owner.party().identityKeyPair,
    wrappedCompanionEphemeralPub,
  });

  return new Promise((resolve) => {
    waiting.onClosed = () => resolve({ outcome: "refused", reason: "the companion closed the connection" });
    waiting.onStanza = (node) => {
      const finish = childOf(node, "link_code_companion_reg");
      if (node.tag !== "iq" || finish?.attrs["stage"] !== "companion_finish") return;
      waiting.connection.send(stanza("iq", { from: FROM_SERVER, type: "result", id: node.attrs["id"] }));
      resolve(vouch(finish));
    };
    waiting.connection.send(
      stanza(
        "notification",
        {
          from: FROM_SERVER,
          type: "link_code_companion_reg",
          id: `code-${ref}`,
          t: Math.floor(Date.now() / 1000),
        },
        [
          stanza("link_code_companion_reg", { stage: "primary_hello" }, [
            stanza(
              "link_code_pairing_wrapped_primary_ephemeral_pub",
              {},
              phone.hello.wrappedPrimaryEphemeralPub,
            ),
            stanza("primary_identity_pub", {}, phone.hello.primaryIdentityPub),
            stanza("link_code_pairing_ref", {}, Buffer.from(ref)),
          ]),
        ],
      ),
    );
  });

  /** Throws nothing: a wrong code shows only here, as a key bundle that cannot be opened. */
  function vouch(finish: Stanza): Promise<PairingOutcome> | PairingOutcome {
    const companion = waiting;
    if (!companion) return { outcome: "refused", reason: "the companion is gone" };
    let advSecret: Buffer;
    try {
      advSecret = phone.finish({
        wrappedKeyBundle: requiredBytes(finish, "link_code_pairing_wrapped_key_bundle"),
        identityPublic: requiredBytes(finish, "companion_identity_public"),
      });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      world.counters.add("pairingsRefused");
      world.events.emit({ type: "pairing.refused", account: account.number, detail: { reason } });
      return { outcome: "refused", reason };
    }
    return linkCompanion(companion, account, advSecret, world);
  }
}
