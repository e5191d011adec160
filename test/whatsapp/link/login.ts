/**
 * A companion logs in: recognised by the number and its Noise key (Baileys rc14: generateLoginNode sends the number only).
 * A second login with the same key replaces the first, as on WhatsApp (`conflict`, Baileys 440).
 */
import type { Account } from "../state/account.ts";
import type { Companion } from "../state/companion.ts";
import { FROM_SERVER, lidJid } from "../wire/jid.ts";
import { stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { streamError, type Connection } from "./connection.ts";

const LOGGED_OUT = 401;

/** The companion that may come in; undefined when it was refused. */
export function logIn(
  connection: Connection,
  noiseKey: Buffer,
  number: string,
  world: Pick<World, "accounts" | "faults" | "counters" | "events">,
): Companion | undefined {
  const account = world.accounts.get(number);
  const refuse = (reason: number, more: { expire?: number } = {}): undefined => {
    world.counters.add("loginsRefused");
    world.events.emit({ type: "login.refused", account: number, detail: { reason } });
    connection.endWith(stanza("failure", { reason, location: "emulator", ...more }));
    return undefined;
  };

  const fault = world.faults.take("login-failure", number);
  if (fault) {
    const { reason, expire } = fault;
    refuse(reason, expire === undefined ? {} : { expire });
    return;
  }
  const companion = account && linkedBy(account, noiseKey.toString("hex"));
  if (!companion) {
    refuse(LOGGED_OUT);
    return;
  }

  companion.connection?.endWith(streamError(undefined, stanza("conflict", { type: "replaced" })));
  companion.connection = connection;
  companion.live = false;
  companion.available = false;
  companion.reorder = undefined;
  companion.answeredRetries.clear();
  world.counters.add("logins");
  connection.send(
    stanza("success", {
      from: FROM_SERVER,
      t: Math.floor(Date.now() / 1000),
      lid: lidJid(companion.account.owner.lid, companion.device),
      location: "emulator",
    }),
  );
  return companion;
}

const linkedBy = (account: Account, noiseKey: string): Companion | undefined =>
  [...account.companions.values()].find(
    (companion) => companion.noiseKey === noiseKey && companion.state === "linked",
  );
