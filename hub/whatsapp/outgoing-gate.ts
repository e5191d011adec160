/**
 * Nothing leaves while something received is not on disk. Baileys believes a frame is sent as soon as it gets here, and so
 * goes on to the next message; a burst then costs one transaction instead of one per message, and no receipt can overtake
 * the disk. The frames of a connection that ends are forgotten: what they acknowledged, WhatsApp delivers again.
 */

/** The part of ws' WebSocket, below what Baileys has of it, that the hub holds the reins of. */
export interface RawSocket {
  send(data: unknown, callback?: (error?: Error) => void): void;
  terminate(): void;
  /** Nothing more is read until `resume`, but for what is in memory already. */
  pause(): void;
  resume(): void;
}

/** What must be on disk first: `written` counts what was handed over, `durable` how much of it is there. */
export interface Progress {
  readonly written: number;
  readonly durable: number;
  onDurable(listener: () => void): void;
}

export interface OutgoingGate {
  /** Drops what waits and whatever comes. */
  shut(): void;
}

export function gateOutgoing(socket: Pick<RawSocket, "send">, progress: Progress): OutgoingGate {
  const send = socket.send.bind(socket);
  let waiting: { after: number; data: unknown }[] = [];
  let isShut = false;

  socket.send = (data, callback) => {
    if (isShut) {
      callback?.();
      return;
    }
    if (waiting.length === 0 && progress.durable >= progress.written) {
      send(data, callback);
      return;
    }
    waiting.push({ after: progress.written, data });
    callback?.();
  };

  progress.onDurable(() => {
    if (isShut) return;
    let sent = 0;
    for (const frame of waiting) {
      if (frame.after > progress.durable) break;
      // A frame that cannot be sent any more belongs to a socket that is closing: Baileys hears of it by its `close`.
      send(frame.data, () => undefined);
      sent++;
    }
    if (sent > 0) waiting = waiting.slice(sent);
  });

  return {
    shut: () => {
      isShut = true;
      waiting = [];
    },
  };
}
