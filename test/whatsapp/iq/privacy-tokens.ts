/**
 * Privacy tokens (`tctoken`): having been trusted by the account, a contact trusts it too and says so, as WhatsApp passes it
 * on; Baileys rc14 then adds the token to what it sends (tc-token-utils.js).
 */
import { randomBytes } from "node:crypto";
import { deliver, stanzaKey } from "../mail/delivery.ts";
import { addressOf, otherAddressOf } from "../state/people.ts";
import { pnJid } from "../wire/jid.ts";
import { childrenOf, stanza } from "../wire/stanza.ts";
import { OK, type IqHandler } from "./answer.ts";

export const takePrivacyTokens: IqHandler = ({ query, companion }, world) => {
  const { account, device } = companion;
  for (const { attrs } of childrenOf(query)) {
    const person = world.people.find(attrs["jid"] ?? "");
    if (!person) continue;
    const id = randomBytes(8).toString("hex");
    const t = Math.floor(Date.now() / 1000);
    const token = stanza(
      "token",
      { jid: pnJid(account.number, device), t, type: "trusted_contact" },
      randomBytes(16),
    );
    const notification = stanza(
      "notification",
      {
        from: addressOf(person, "lid"),
        sender_lid: addressOf(person, "lid"),
        sender_pn: otherAddressOf(person, "lid"),
        type: "privacy_token",
        id,
        t,
      },
      [stanza("tokens", {}, [token])],
    );
    deliver(
      companion,
      { key: stanzaKey("notification", id), stanza: notification, afterOffline: false },
      world,
    );
  }
  return OK;
};
