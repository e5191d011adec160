/** `w:mex`: GraphQL by number. Only the two that Baileys rc14 asks about an account's standing (Types/Mex.js) are known. */
import { bytesOf, stanza } from "../wire/stanza.ts";
import { iqError, type IqHandler } from "./answer.ts";

const REACHOUT_TIMELOCK = "23983697327930364";
const MESSAGE_CAPPING_INFO = "24503548349331633";

const ANSWERS: Record<string, unknown> = {
  [REACHOUT_TIMELOCK]: { xwa2_fetch_account_reachout_timelock: { is_active: false } },
  [MESSAGE_CAPPING_INFO]: {
    xwa2_message_capping_info: {
      total_quota: 0,
      used_quota: 0,
      capping_status: "NONE",
      ote_status: "NOT_ELIGIBLE",
      mv_status: "NOT_ELIGIBLE",
    },
  },
};

export const mexQuery: IqHandler = ({ query }) => {
  const data = ANSWERS[query.attrs["query_id"] ?? ""];
  if (data === undefined || !bytesOf(query)) return iqError(400, "unknown-query");
  return [stanza("result", {}, Buffer.from(JSON.stringify({ data })))];
};
