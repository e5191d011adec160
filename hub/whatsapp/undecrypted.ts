/** Stanzas whose content never came: closed when the same message arrives after all, by a resend or from the phone. */
import type { InFlight } from "./in-flight.ts";
import { addressOf } from "./translate/addresses.ts";

/** What identifies a message over its resends: each has new ciphertext, and so a row of its own. */
interface Named {
  id: string;
  chat: string;
  participant: string;
  digest: Uint8Array;
}

export interface Undecrypted {
  add(stanza: Named): void;
  /** Digests of earlier stanzas of this message; they are forgotten here. */
  solvedBy(stanza: InFlight): Uint8Array[];
  /** As `solvedBy`, for a message that came by another way; only its id and chat are known. */
  solvedById(id: string): Uint8Array[];
}

const MAX_MESSAGES = 5000;

export function createUndecrypted(): Undecrypted {
  const byId = new Map<string, { name: string; digest: Uint8Array }[]>();
  const nameOf = ({ chat, participant }: Pick<Named, "chat" | "participant">): string =>
    `${addressOf(chat)} ${participant === "" ? "" : addressOf(participant)}`;

  const take = (id: string, isIt: (name: string) => boolean): Uint8Array[] => {
    const all = byId.get(id);
    if (all === undefined) return [];
    const others = all.filter(({ name }) => !isIt(name));
    if (others.length === 0) byId.delete(id);
    else byId.set(id, others);
    return all.filter(({ name }) => isIt(name)).map(({ digest }) => digest);
  };

  return {
    add: (stanza) => {
      const entry = { name: nameOf(stanza), digest: stanza.digest };
      const all = byId.get(stanza.id);
      if (all === undefined) byId.set(stanza.id, [entry]);
      else if (!all.some(({ digest }) => Buffer.compare(digest, entry.digest) === 0)) all.push(entry);
      if (byId.size <= MAX_MESSAGES) return;
      for (const oldest of byId.keys()) {
        byId.delete(oldest);
        return;
      }
    },
    solvedBy: (stanza) => {
      if (byId.size === 0) return [];
      const name = nameOf(stanza);
      return take(stanza.id, (other) => other === name).filter(
        (digest) => Buffer.compare(digest, stanza.digest) !== 0,
      );
    },
    solvedById: (id) => take(id, () => true),
  };
}
