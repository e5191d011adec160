/** Everything the emulator's parts share; each asks for the few it uses. */
import type { Account } from "./state/account.ts";
import type { Counters } from "./state/counters.ts";
import type { Events } from "./state/events.ts";
import type { Faults } from "./state/faults.ts";
import type { Groups } from "./state/groups.ts";
import type { Ledger } from "./state/ledger.ts";
import type { People } from "./state/people.ts";
import type { SentMessages } from "./state/sent.ts";
import type { WaitingRoom } from "./link/waiting-room.ts";
import type { Resends } from "./mail/resends.ts";
import type { MediaStore } from "./media/media-store.ts";

export interface World {
  readonly people: People;
  readonly groups: Groups;
  readonly accounts: Map<string, Account>;
  readonly waiting: WaitingRoom;
  readonly events: Events;
  readonly counters: Counters;
  readonly faults: Faults;
  readonly ledger: Ledger;
  readonly sent: SentMessages;
  readonly resends: Resends;
  readonly media: MediaStore;
  /** `127.0.0.1:port` of the media server, as `media_conn` names it. */
  mediaHost(): string;
  /** Runs later, unless the emulator is stopped first. */
  later(delayMs: number, work: () => void): void;
}
