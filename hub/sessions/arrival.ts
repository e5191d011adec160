/** How long a caller waits for an account that is on its way, and what is said when there is no code to show. */
import { HubError } from "../core/errors.ts";
import { isActive, isOpen } from "../core/session-state.ts";
import type { Session } from "../core/session.ts";

/** On the way to a code or to an open connection. */
export const isLinking = ({ state }: Session): boolean =>
  isActive(state) && !isOpen(state) && state !== "store_down";

/** Nothing more will happen by itself while a caller waits. */
export const hasArrived = (session: Session): boolean =>
  session.state === "qr" || session.state === "pairing_code" || !isLinking(session);

export const notReady = ({ state }: Session): HubError =>
  isOpen(state)
    ? new HubError("QR_NOT_READY", "This session is connected; there is no code to scan.", {
        details: { state },
      })
    : new HubError("QR_NOT_READY", "No code is on show yet; ask again in a moment.", {
        details: { state },
        retryAfterSeconds: 2,
      });
