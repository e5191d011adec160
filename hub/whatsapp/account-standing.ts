/** What WhatsApp lets the account do, in the library's words → in ours: asked, and told by WhatsApp itself. */
import type { AccountNews, AccountRestriction, NewChatAllowance } from "../core/whatsapp.ts";
import type { Asking } from "./asking.ts";
import type { BaileysEventMap, WASocket } from "./baileys.ts";

type TimeLock = NonNullable<BaileysEventMap["connection.update"]["reachoutTimeLock"]>;
type Capping = BaileysEventMap["message-capping.update"];

export const restrictionOf = ({
  isActive,
  timeEnforcementEnds,
  enforcementType,
}: TimeLock): AccountRestriction => ({
  isActive: isActive === true,
  until: timeEnforcementEnds === undefined ? null : validDate(timeEnforcementEnds.getTime()),
  type: enforcementType ?? null,
});

/** The library hands WhatsApp's JSON through, null where it has nothing: no member is certain to be what its type says. */
export function allowanceOf(capping: Capping | null): NewChatAllowance {
  if (capping === null) return { total: null, used: 0, until: null, isReached: false };
  return {
    total: countOf(capping.total_quota) || null,
    used: countOf(capping.used_quota),
    until: timeOf(capping.cycle_end_timestamp),
    isReached: String(capping.capping_status) === "CAPPED",
  };
}

function countOf(value: unknown): number {
  const number = Number(value ?? 0);
  return number > 0 ? number : 0;
}

/** Unix seconds; read as milliseconds when they would lie beyond the year 5000. */
function timeOf(text: string | undefined): Date | null {
  const number = Number(text ?? 0);
  if (!(number > 0)) return null;
  return validDate(number > 1e11 ? number : number * 1000);
}

const validDate = (ms: number): Date | null => (ms > 0 && ms < 8.64e15 ? new Date(ms) : null);

/** To be called in the turn in which the socket was made. */
export function hearStanding({ ev }: Pick<WASocket, "ev">, onNews: (news: AccountNews) => void): void {
  ev.on("connection.update", ({ reachoutTimeLock }) => {
    if (reachoutTimeLock !== undefined) onNews({ restriction: restrictionOf(reachoutTimeLock) });
  });
  ev.on("message-capping.update", (capping) => onNews({ allowance: allowanceOf(capping) }));
}

export const askStanding = (
  socket: Pick<WASocket, "fetchAccountReachoutTimelock" | "fetchNewChatMessageCap">,
  { ask }: Pick<Asking, "ask">,
) => ({
  restriction: async (): Promise<AccountRestriction> =>
    restrictionOf(await ask("answer", "WHATSAPP_ERROR", () => socket.fetchAccountReachoutTimelock())),
  newChatAllowance: async (): Promise<NewChatAllowance> =>
    allowanceOf(await ask("answer", "WHATSAPP_ERROR", () => socket.fetchNewChatMessageCap())),
});
