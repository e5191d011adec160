/**
 * WhatsApp's refusal 479: what was sent did not fit the devices its receiver has now, or what we agreed upon with them. Both
 * are asked for anew and the message goes out once more, under its own id; what is refused again has failed.
 */
import type { Log } from "../core/log.ts";
import type { Jid } from "../core/jid.ts";
import { isGroupJid } from "../core/jid.ts";
import type { BinaryNode, proto, WASocket } from "./baileys.ts";
import { createSmallCache } from "./small-cache.ts";

const STALE = "479";
/** A refusal comes within seconds of its message. */
const KEPT = { max: 500, ttlMs: 10 * 60_000 };

export interface StaleDevices {
  /** Left for WhatsApp under this id; kept for a while. */
  sent(messageId: string, chatId: Jid, message: proto.IMessage): void;
  /** True when this word of WhatsApp's is not its last on the message: it goes out once more. */
  takes(ack: BinaryNode): boolean;
}

export interface StaleDevicesParts {
  socket: Pick<WASocket, "getUSyncDevices" | "assertSessions" | "relayMessage">;
  /** The message goes out no more: what WhatsApp said stays. */
  onGivenUp: (ack: BinaryNode) => void;
  sessionId: string;
  log: Log;
}

export function createStaleDevices({ socket, onGivenUp, sessionId, log }: StaleDevicesParts): StaleDevices {
  const kept = createSmallCache<{ chatId: Jid; message: proto.IMessage }>(KEPT);
  const repeated = createSmallCache<true>(KEPT);

  async function again(messageId: string, chatId: Jid, message: proto.IMessage): Promise<void> {
    if (!isGroupJid(chatId)) {
      const devices = await socket.getUSyncDevices([chatId], false, false);
      await socket.assertSessions(
        devices.map(({ jid }) => jid),
        true,
      );
    }
    await socket.relayMessage(chatId, message, {
      messageId,
      useUserDevicesCache: false,
      useCachedGroupMetadata: false,
    });
    log.info({ sessionId, messageId }, "message.sent_again");
  }

  return {
    sent: (messageId, chatId, message) => kept.set(messageId, { chatId, message }),
    takes: (ack) => {
      const { id, error } = ack.attrs;
      if (error !== STALE || id === undefined || repeated.get(id) === true) return false;
      const said = kept.get(id);
      if (said === undefined) return false;
      repeated.set(id, true);
      again(id, said.chatId, said.message).catch((cause: unknown) => {
        const name = cause instanceof Error ? cause.name : "unknown";
        log.warn({ sessionId, messageId: id, error: name }, "message.not_sent_again");
        onGivenUp(ack);
      });
      return true;
    },
  };
}
