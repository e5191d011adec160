/** What is heard on one connection, and the questions that find out whether it still works. */
import type { Clock } from "../core/clock.ts";
import type { LinkPulse, LinkVitals } from "../core/whatsapp.ts";
import type { WASocket } from "./baileys.ts";

/** What WhatsApp sends unasked; answers to queries prove nothing about them. */
const INBOUND = ["CB:message", "CB:receipt", "CB:notification", "CB:call"] as const;

export interface PulseParts {
  socket: Pick<WASocket, "ws" | "ev" | "query" | "generateMessageTag" | "sendPresenceUpdate">;
  clock: Clock;
  isImporting: () => boolean;
  isHistoryMissing: () => boolean;
  /** Stores what was left lying. */
  sweep: () => Promise<void>;
  /** Ends the connection as lost. */
  end: (detail: string) => void;
}

/** To be called in the turn in which the socket was made: nothing can have arrived yet. */
export function takePulse({
  socket,
  clock,
  isImporting,
  isHistoryMissing,
  sweep,
  end,
}: PulseParts): Omit<LinkPulse, "askPhone"> {
  const { ws, ev } = socket;
  let lastFrameAt = clock.now();
  let lastInboundAt: Date | null = null;
  let lastTold = clock.now();
  ws.on("frame", () => (lastFrameAt = clock.now()));
  for (const tag of INBOUND) ws.on(tag, () => (lastInboundAt = clock.now()));
  ev.process(() => void (lastTold = clock.now()));

  const vitals = (): LinkVitals => ({
    lastFrameAt,
    lastInboundAt,
    holdingSince: ev.isBuffering() ? lastTold : null,
    isImporting: isImporting(),
    isHistoryMissing: isHistoryMissing(),
  });

  return {
    vitals,
    ping: async (timeoutMs) => {
      const attrs = { id: socket.generateMessageTag(), to: "@s.whatsapp.net", type: "get", xmlns: "w:p" };
      const ping = { tag: "iq", attrs, content: [{ tag: "ping", attrs: {} }] };
      const answer: unknown = await socket.query(ping, timeoutMs).catch(() => undefined);
      // No answer is a rejection or nothing, as the library happens to notice it.
      return answer !== undefined;
    },
    stir: async () => {
      ev.flush();
      await sweep();
      // Says nothing to anybody that was not true before, and makes the server look at this device.
      await socket.sendPresenceUpdate("unavailable");
    },
    cut: end,
  };
}
