/** `w:mex`: GraphQL by number. Only the two that Baileys rc14 asks about an account's standing (Types/Mex.js) are known. */
import type { Standing } from "../state/account.ts";
import { stanza } from "../wire/stanza.ts";
import { iqError, type IqHandler } from "./answer.ts";

const REACHOUT_TIMELOCK = "23983697327930364";
const MESSAGE_CAPPING_INFO = "24503548349331633";

export const mexQuery: IqHandler = ({ query, companion: { account } }) => {
  const data = answer(query.attrs["query_id"], account.standing);
  return data ? [stanza("result", {}, Buffer.from(JSON.stringify({ data })))] : iqError(400, "unknown-query");
};

function answer(queryId: string | undefined, standing: Standing): Record<string, unknown> | undefined {
  if (queryId === REACHOUT_TIMELOCK) return { xwa2_fetch_account_reachout_timelock: timelockOf(standing) };
  if (queryId === MESSAGE_CAPPING_INFO) return { xwa2_message_capping_info: newChatsOf(standing) };
  return undefined;
}

export const timelockOf = ({ timelock }: Standing): Record<string, unknown> =>
  timelock
    ? { is_active: true, time_enforcement_ends: String(timelock.until), enforcement_type: timelock.type }
    : { is_active: false };

export const newChatsOf = ({ newChats }: Standing): Record<string, unknown> => ({
  total_quota: newChats?.total ?? 0,
  used_quota: newChats?.used ?? 0,
  ...(newChats?.until === undefined ? {} : { cycle_end_timestamp: String(newChats.until) }),
  capping_status: newChats?.status ?? "NONE",
  ote_status: "NOT_ELIGIBLE",
  mv_status: "NOT_ELIGIBLE",
});
