/** What the runners of one hub share. */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import type { Session } from "../core/session.ts";
import type { InboxStore, IntakeStore, SessionStore } from "../core/store.ts";
import type { WhatsAppConnector } from "../core/whatsapp.ts";
import type { ReasonOf } from "./after-close.ts";
import type { Logins } from "./logins.ts";
import type { Schedule } from "./schedule.ts";
import type { InOrder, Slots } from "./slots.ts";
import type { StoreWatch } from "./store-watch.ts";
import type { WatchTiming } from "./watch.ts";

export interface RunnerParts {
  store: Pick<SessionStore, "save" | "holdersOf" | "note">;
  connector: WhatsAppConnector;
  logins: Logins;
  reasonOf: ReasonOf;
  slots: Slots;
  /** Claims of phone numbers, one after the other over the whole hub. */
  numbers: InOrder;
  storeWatch: StoreWatch;
  clock: Clock;
  schedule: Schedule;
  /** From 0 to 1, as `Math.random`. */
  random: () => number;
  nudge: Nudge;
  log: Log;
  /** The account can send again. */
  onOpened: (sessionId: string) => void;
  /** Draws a QR code as a PNG in bare base64; without it there are no `session.qr` events. */
  qrImage: ((qr: string) => Promise<string>) | null;
  /** Something of a session became true. */
  onMoved: (previous: Session, next: Session) => void;
  /** A key of some session's login is damaged; for those who count. */
  onKeyUnreadable: (kind: string) => void;
  /** Null: open connections are not watched. */
  watchdog: WatchdogParts | null;
}

/** What all watchdogs of a hub share. */
export interface WatchdogParts {
  intake: Pick<IntakeStore, "oldestReadable">;
  inbox: Pick<InboxStore, "messages" | "arrivals">;
  /** Starting the process again, where something does that for us. */
  restart: { isAllowed(): Promise<boolean>; go(sessionId: string): void } | null;
  timing?: Partial<WatchTiming>;
}
