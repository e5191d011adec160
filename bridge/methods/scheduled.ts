/** What also runs by itself, on order: the hourly sync of all sessions, and the comparison of hub and CRM. */
import type { CrmAdapter } from "../adapter.ts";
import { BridgeError } from "../errors.ts";
import type { HubClient } from "../hub-client.ts";
import type { AutoSync } from "../sync/auto-sync.ts";
import type { Reconcile } from "../sync/reconcile.ts";
import { method, word, type Method } from "./method.ts";
import { sessionNamed } from "./session-name.ts";

export interface ScheduledParts {
  hub: HubClient;
  adapter: CrmAdapter;
  autoSync: Pick<AutoSync, "runNow">;
  reconcile: Pick<Reconcile, "sessions" | "messages">;
}

/** Within the patience of a caller; what is not done by then goes on. */
const WAIT_MS = 20_000;

export function scheduledMethods({ hub, adapter, autoSync, reconcile }: ScheduledParts): Method[] {
  return [
    method({
      name: "api.sync.auto_sync_all_sessions",
      role: "admin",
      args: {},
      run: async () => {
        try {
          const { totalSessions, ...outcome } = await autoSync.runNow({ waitMs: WAIT_MS });
          return { success: true, total_sessions: totalSessions, ...outcome };
        } catch (cause) {
          if (cause instanceof BridgeError && cause.code === "SYNC_DISABLED")
            return { success: false, message: cause.message };
          throw cause;
        }
      },
    }),
    method({
      name: "api.sync.reconcile",
      role: "admin",
      args: { session_name: word.optional() },
      run: async ({ session_name: name }) => {
        const corrections = await reconcile.sessions();
        const sessionId =
          name === undefined ? undefined : (await sessionNamed(name, { hub, adapter })).sessionId;
        const { contacts, chats, messages, repaired, extra, errors } = await reconcile.messages(sessionId);
        return {
          success: errors.length === 0,
          corrections: corrections.length,
          differences: { contacts, chats, messages },
          extra: {
            chats: extra.chats,
            messages: extra.messages,
            in_chats: extra.inChats.map(({ chatId, messages: more }) => ({
              chat_id: chatId,
              messages: more,
            })),
          },
          repaired,
          errors,
        };
      },
    }),
  ];
}
