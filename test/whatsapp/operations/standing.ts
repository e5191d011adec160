/** WhatsApp restricts an account, or lets it go: told at once, and answered when asked (Baileys rc14: handleMexNotification). */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { newChatsOf, timelockOf } from "../iq/mex.ts";
import { deliver, stanzaKey } from "../mail/delivery.ts";
import { linkedCompanions, type Account } from "../state/account.ts";
import { FROM_SERVER } from "../wire/jid.ts";
import { stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { accountOf } from "./find.ts";

export const restrictionRequest = z.strictObject({
  account: z.string().optional(),
  /** No new chats until then (unix seconds); null: free again. */
  timelock: z
    .strictObject({ until: z.number().int(), type: z.string().default("DEFAULT") })
    .nullable()
    .optional(),
  /** How many new chats may be written to; null: any number. */
  newChats: z
    .strictObject({
      total: z.number().int(),
      used: z.number().int(),
      status: z.string().default("FIRST_WARNING"),
      /** When WhatsApp begins to count anew (unix seconds). */
      until: z.number().int().optional(),
    })
    .nullable()
    .optional(),
});
export type RestrictionRequest = z.input<typeof restrictionRequest>;

export interface StandingOperations {
  restrict(request: RestrictionRequest): void;
}

export function standingOperations(world: World): StandingOperations {
  const tell = (account: Account, operation: string, data: Record<string, unknown>): void => {
    const id = randomBytes(8).toString("hex").toUpperCase();
    const update = stanza("update", { op_name: operation }, Buffer.from(JSON.stringify({ data })));
    const t = Math.floor(Date.now() / 1000);
    const notification = stanza("notification", { from: FROM_SERVER, type: "mex", id, t }, [update]);
    for (const companion of linkedCompanions(account))
      deliver(
        companion,
        { key: stanzaKey("notification", id), stanza: notification, afterOffline: false },
        world,
      );
  };

  return {
    restrict(request) {
      const { timelock, newChats, ...rest } = restrictionRequest.parse(request);
      const account = accountOf(rest.account, world);
      if (timelock !== undefined) {
        account.standing.timelock = timelock ?? undefined;
        tell(account, "NotificationUserReachoutTimelockUpdate", {
          xwa2_notify_account_reachout_timelock: timelockOf(account.standing),
        });
      }
      if (newChats !== undefined) {
        account.standing.newChats = newChats ?? undefined;
        tell(account, "MessageCappingInfoNotification", {
          xwa2_notify_new_chat_messages_capping_info_update: newChatsOf(account.standing),
        });
      }
    },
  };
}
