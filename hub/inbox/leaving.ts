/** A message that wants to leave, as the gate and what prolongs its wait see it. */
import type { Jid } from "../core/jid.ts";

export interface Leaving {
  sessionId: string;
  chatId: Jid;
  messageId: string;
  /** Moves when it has to wait for what is not its own. */
  expiresAt: Date;
  /** Its sender said until when it makes sense: no wait prolongs that. */
  isTimed: boolean;
}
