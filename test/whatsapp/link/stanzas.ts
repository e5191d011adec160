/** Stanzas of a linked companion, by their tag. */
import { answerQuery } from "../iq/dispatch.ts";
import { onAck, onReceipt } from "../mail/acknowledgements.ts";
import { onSentMessage } from "../mail/outbound.ts";
import type { Companion } from "../state/companion.ts";
import { childrenOf, stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";

export function onStanza(node: Stanza, companion: Companion, world: World): void {
  switch (node.tag) {
    case "iq":
      if (node.attrs["type"] === "get" || node.attrs["type"] === "set" || node.attrs["xmlns"] !== undefined)
        answerQuery(node, companion, world);
      return;
    case "receipt": {
      onReceipt(node, companion, world);
      return;
    }
    case "ack": {
      onAck(node, companion, world);
      return;
    }
    case "message": {
      onSentMessage(node, companion, world);
      return;
    }
    case "presence":
    case "chatstate": {
      onPresence(node, companion, world);
      return;
    }
    case "call": {
      onCall(node, companion);
      return;
    }
    case "ib":
      return; // telemetry and the request for the offline batch, which comes by itself
    default:
      world.counters.add("unknownStanzas");
  }
}

function onPresence(node: Stanza, companion: Companion, { events }: World): void {
  const { type, to } = node.attrs;
  if (node.tag === "presence" && (type === "available" || type === "unavailable"))
    companion.available = type === "available";
  const state = node.tag === "chatstate" ? childrenOf(node)[0]?.tag : type;
  events.emit({
    type: "presence",
    account: companion.account.number,
    device: companion.device,
    detail: { state, to },
  });
}

/** Rejecting a call and making a call link are asked like queries, under another tag. */
function onCall(node: Stanza, { connection }: Companion): void {
  const { id, to } = node.attrs;
  const isLink = childrenOf(node)[0]?.tag === "link_create";
  connection?.send(
    isLink
      ? stanza("call", { id, from: to }, [stanza("link_create", { token: `link-${id}` })])
      : stanza("ack", { id, from: to, class: "call" }),
  );
}
