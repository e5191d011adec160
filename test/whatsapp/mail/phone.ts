/**
 * The phone's own messages to its companion (`category="peer"`): history, keys, answers to its requests. Baileys rc14 takes them
 * only as from its own number, without a recipient (decode-wa-message.js, process-message.js).
 */
import { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import type { Companion } from "../state/companion.ts";
import { pnJid } from "../wire/jid.ts";
import { stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { deliver, messageKey } from "./delivery.ts";
import { newMessageId } from "./inbound.ts";
import { sealFor } from "./sealing.ts";

const { ProtocolMessage, PeerDataOperationRequestType } = proto.Message;

export function sendPeerMessage(companion: Companion, message: proto.IMessage, world: World): string {
  const { owner, number } = companion.account;
  const id = newMessageId();
  const enc = sealFor(companion, owner.party(), message, world);
  deliver(
    companion,
    {
      key: messageKey(id),
      stanza: stanza(
        "message",
        { from: pnJid(number), id, t: Math.floor(Date.now() / 1000), type: "text", category: "peer" },
        [enc],
      ),
      afterOffline: true,
    },
    world,
  );
  return id;
}

/** What the companion asks of its phone (Baileys: sendPeerDataOperationMessage). */
export function answerPeerRequest(
  requestId: string,
  message: proto.IMessage,
  companion: Companion,
  world: World,
): void {
  if (world.faults.take("phone-silent", companion.account.number)) return;
  const request = message.protocolMessage?.peerDataOperationRequestMessage;
  const older = request?.historySyncOnDemandRequest;
  if (older)
    companion.account.history.sendBefore(companion, {
      chatJid: older.chatJid ?? "",
      messageId: older.oldestMsgId ?? "",
      count: older.onDemandMsgCount ?? 0,
    });
  const keys = request?.placeholderMessageResendRequest?.map(({ messageKey: key }) => key) ?? [];
  if (keys.length === 0) return;
  // A phone also answers for what it does not have (any more); then there is nothing in the answer.
  const results = keys.map((key) => {
    const found = key?.id ? webMessageInfo(key, companion, world) : undefined;
    return found ? { placeholderMessageResendResponse: { webMessageInfoBytes: found } } : {};
  });
  sendPeerMessage(
    companion,
    {
      protocolMessage: {
        type: ProtocolMessage.Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
        peerDataOperationRequestResponseMessage: {
          peerDataOperationRequestType: PeerDataOperationRequestType.PLACEHOLDER_MESSAGE_RESEND,
          stanzaId: requestId,
          peerDataOperationResult: results,
        },
      },
    },
    world,
  );
}

function webMessageInfo(
  key: proto.IMessageKey,
  { account }: Companion,
  { resends }: World,
): Uint8Array | undefined {
  const envelope = resends.find(account.number, key.id ?? "");
  if (!envelope) return undefined;
  return proto.WebMessageInfo.encode({
    key,
    message: envelope.message,
    messageTimestamp: envelope.timestamp,
    pushName: envelope.sender.pushName,
  }).finish();
}
