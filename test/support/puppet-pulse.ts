/** The pulse of a puppet's connection: tests say what was heard, and see what was asked. */
import type { LinkPulse, LinkVitals, MessageAt } from "../../hub/core/whatsapp.ts";

export interface PuppetPulse extends LinkPulse {
  /** What `vitals` answers. */
  heard: Partial<LinkVitals>;
  answersPings: boolean;
  /** Called with each question to the phone. */
  onAsked: (message: MessageAt) => void;
  readonly did: string[];
  /** Called when the connection is cut as lost. */
  onCut: () => void;
}

export function createPuppetPulse(): PuppetPulse {
  const did: string[] = [];
  const pulse: PuppetPulse = {
    heard: {},
    answersPings: true,
    onAsked: () => undefined,
    did,
    onCut: () => undefined,
    vitals: () => ({
      lastFrameAt: new Date(8.64e15),
      lastInboundAt: null,
      holdingSince: null,
      isImporting: false,
      isHistoryMissing: false,
      ...pulse.heard,
    }),
    ping: () => {
      did.push("ping");
      return Promise.resolve(pulse.answersPings);
    },
    askPhone: (message) => {
      did.push("ask");
      pulse.onAsked(message);
      return Promise.resolve();
    },
    stir: () => {
      did.push("stir");
      return Promise.resolve();
    },
    cut: () => {
      did.push("cut");
      pulse.onCut();
    },
  };
  return pulse;
}
