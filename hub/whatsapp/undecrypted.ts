/**
 * Stanzas whose content never came: closed when the same message arrives after all, by a resend or from the phone. Whoever
 * counts hears once of each message that failed, and once when it came.
 */
import type { UnreadableKind, UnreadableNews } from "../core/unreadable.ts";
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
  /** `cause`: why it could not be decrypted; left out when it never had a content, or failed in an earlier life. */
  add(stanza: Named, cause?: unknown): void;
  /** Digests of earlier stanzas of this message; they are forgotten here. */
  solvedBy(stanza: InFlight): Uint8Array[];
  /** As `solvedBy`, for a message that came by another way; only its id and chat are known. */
  solvedById(id: string): Uint8Array[];
}

const MAX_MESSAGES = 5000;

interface Entry {
  name: string;
  digest: Uint8Array;
  isCounted: boolean;
}

export function createUndecrypted(onNews: (news: UnreadableNews) => void = () => undefined): Undecrypted {
  const byId = new Map<string, Entry[]>();
  const nameOf = ({ chat, participant }: Pick<Named, "chat" | "participant">): string =>
    `${addressOf(chat)} ${participant === "" ? "" : addressOf(participant)}`;

  const take = (id: string, isIt: (name: string) => boolean): Uint8Array[] => {
    const all = byId.get(id);
    if (all === undefined) return [];
    const others = all.filter(({ name }) => !isIt(name));
    if (others.length === 0) byId.delete(id);
    else byId.set(id, others);
    const solved = all.filter(({ name }) => isIt(name));
    if (solved.some(({ isCounted }) => isCounted)) onNews({ type: "came" });
    return solved.map(({ digest }) => digest);
  };

  function remember(id: string, entry: Entry): void {
    const all = byId.get(id);
    if (all === undefined) byId.set(id, [entry]);
    else if (!all.some(({ digest }) => Buffer.compare(digest, entry.digest) === 0)) all.push(entry);
    if (byId.size <= MAX_MESSAGES) return;
    for (const oldest of byId.keys()) {
      byId.delete(oldest);
      return;
    }
  }

  return {
    add: (stanza, cause) => {
      const name = nameOf(stanza);
      const isNew = byId.get(stanza.id)?.every((entry) => entry.name !== name) ?? true;
      const isCounted = isNew && cause !== undefined;
      if (isCounted) onNews({ type: "failed", kind: kindOf(cause) });
      remember(stanza.id, { name, digest: stanza.digest, isCounted });
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

/** The library's words. What none of several sessions opens is a wrong MAC in each of them. */
const KINDS: [beginning: string, kind: UnreadableKind][] = [
  ["Bad MAC", "bad_mac"],
  ["No matching sessions found for message", "bad_mac"],
  ["No session record", "no_session"],
  ["No sessions available", "no_session"],
  ["No SenderKeyRecord found", "no_sender_key"],
  ["No session found to decrypt message", "no_sender_key"],
  ["No session state available", "no_sender_key"],
  ["No sender message key found", "no_sender_key"],
];

function kindOf(cause: unknown): UnreadableKind {
  const said = cause instanceof Error ? cause.message : "";
  return KINDS.find(([beginning]) => said.startsWith(beginning))?.[1] ?? "other";
}
