/** Hook B: our own ears, in front of Baileys'. What comes in clear is recorded from here: Baileys acknowledges it unstored. */
import type { Fact } from "../core/facts.ts";
import { getBinaryNodeChild, type AuthenticationCreds, type BinaryNode, type WASocket } from "./baileys.ts";
import type { Generation } from "./generation.ts";
import type { Intake } from "./intake.ts";
import type { Journal } from "./journal.ts";
import { meOf } from "./message-of-stanza.ts";
import type { Me } from "./translate/addresses.ts";
import { factsOfGroupNotification } from "./translate/groups.ts";
import { factsOfAck, factsOfCall, factsOfReceipt } from "./translate/receipts.ts";

export interface ListenerParts {
  socket: WASocket;
  intake: Intake;
  journal: Journal;
  generation: Generation;
  creds: AuthenticationCreds;
  /** WhatsApp wants a passkey, which only the phone has. */
  onPasskey: () => void;
  /** True for a refusal that is not the last word on its message. */
  takesAck: (ack: BinaryNode) => boolean;
  /** A group changed: what is cached of it is stale. */
  onGroup: (jid: string) => void;
}

/** To be called in the turn in which the socket was made: nothing can have arrived yet. */
export function listenFirst(parts: ListenerParts): void {
  const { socket, intake, journal, generation, creds } = parts;

  const hear = (event: string, handle: (node: BinaryNode) => void): void => {
    socket.ws.prependListener(event, (node: BinaryNode) => {
      if (generation.isFenced()) return;
      try {
        handle(node);
      } catch (cause) {
        // Baileys would go on and acknowledge what was not taken.
        generation.fence(cause);
      }
    });
  };
  const record =
    (factsOf: (node: BinaryNode, me: Me) => Fact[]) =>
    (node: BinaryNode): void => {
      const me = meOf(creds);
      if (me !== null) journal.putFacts({ facts: factsOf(node, me), closes: [] });
    };

  hear("CB:message", (node) => intake.seen(node));
  hear("CB:receipt", record(factsOfReceipt));
  hear("CB:call", record(factsOfCall));
  hear("CB:ack,class:message", (ack) => {
    if (!parts.takesAck(ack)) record(factsOfAck)(ack);
  });
  hear("CB:notification", (node) => {
    const { type, from } = node.attrs;
    if (type === "w:gp2") {
      record(factsOfGroupNotification)(node);
      if (from !== undefined) parts.onGroup(from);
    } else if (isPasskeyRequest(node)) parts.onPasskey();
  });
}

const isPasskeyRequest = (node: BinaryNode): boolean =>
  node.attrs["type"] === "passkey_prologue_request" ||
  getBinaryNodeChild(node, "passkey_prologue_request") !== undefined;
