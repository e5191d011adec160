/** Everything that can be done with the emulator, for callers in the same process; the admin API offers the same over HTTP. */
import { accountOperations, type AccountOperations } from "./operations/accounts.ts";
import { messageOperations, type MessageOperations } from "./operations/messages.ts";
import { burstOperations, type BurstOperations } from "./operations/bursts.ts";
import { contactOperations, type ContactOperations } from "./operations/contacts.ts";
import { faultOperations, type FaultOperations } from "./operations/faults.ts";
import { groupOperations, type GroupOperations } from "./operations/groups.ts";
import { replayOperations, type ReplayOperations } from "./operations/replays.ts";
import { standingOperations, type StandingOperations } from "./operations/standing.ts";
import { recordOperations, type RecordOperations } from "./operations/records.ts";
import type { World } from "./world.ts";

export interface Operations
  extends
    AccountOperations,
    MessageOperations,
    BurstOperations,
    ContactOperations,
    GroupOperations,
    ReplayOperations,
    StandingOperations,
    FaultOperations,
    RecordOperations {}

export const createOperations = (world: World): Operations => ({
  ...accountOperations(world),
  ...messageOperations(world),
  ...burstOperations(world),
  ...contactOperations(world),
  ...groupOperations(world),
  ...replayOperations(world),
  ...standingOperations(world),
  ...faultOperations(world),
  ...recordOperations(world),
});
