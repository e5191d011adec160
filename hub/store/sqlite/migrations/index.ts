/** Every step of the schema, in order. A released step never changes: data on disk was made by it. */
import { foundation } from "./0001-foundation.ts";
import { historyAndTrace } from "./0002-history-and-trace.ts";
import { search } from "./0003-search.ts";
import { logins } from "./0004-logins.ts";
import { audit } from "./0005-audit.ts";
import { figures } from "./0006-figures.ts";
import { replayJobs } from "./0007-replay-jobs.ts";
import { lettersAndOrders } from "./0008-letters-and-orders.ts";
import { oldMessages } from "./0009-old-messages.ts";
import { untoldChats } from "./0010-untold-chats.ts";
import { replaysThatEnded } from "./0011-replays-that-ended.ts";
import { users } from "./0012-users.ts";
import { profilesAndGroups } from "./0013-profiles-and-groups.ts";
import { uploads } from "./0015-uploads.ts";
import { piecesOfHistory } from "./0016-pieces-of-history.ts";
import { wordsLeft } from "./0017-words-left.ts";
import { handedOver } from "./0018-handed-over.ts";
import { lookUps } from "./0019-look-ups.ts";
import { hiddenReactors } from "./0020-hidden-reactors.ts";
import { goneEndpoints } from "./0021-gone-endpoints.ts";

export const migrations: readonly string[] = [
  foundation,
  historyAndTrace,
  search,
  logins,
  audit,
  figures,
  replayJobs,
  lettersAndOrders,
  oldMessages,
  untoldChats,
  replaysThatEnded,
  users,
  profilesAndGroups,
  uploads,
  piecesOfHistory,
  wordsLeft,
  handedOver,
  lookUps,
  hiddenReactors,
  goneEndpoints,
];
