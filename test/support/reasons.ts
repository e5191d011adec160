/** All reasons that a session can show. */
import { causeOf } from "../../hub/sessions/cures.ts";
import {
  loginDamaged,
  NO_ANSWER,
  NOT_STARTED,
  numberInUse,
  REASONS,
  RESTART_ASKED,
  type Cause,
} from "../../hub/sessions/reasons.ts";
import { STEPS } from "../../hub/sessions/watch.ts";
import { OWN_CODE, reasonOf } from "../../hub/whatsapp/disconnect.ts";

const CODES = [...Array.from({ length: 250 }, (_, index) => 300 + index), ...Object.values(OWN_CODE)];

export const ALL_REASONS: Pick<Cause, "advice">[] = [
  ...Object.values(REASONS),
  NO_ANSWER,
  NOT_STARTED,
  RESTART_ASKED,
  numberInUse({ sessionName: "Front", sessionId: "front" }),
  loginDamaged("unreadable"),
  ...(["server", "pipeline", "inbound"] as const).flatMap((kind) => STEPS.map((step) => causeOf(kind, step))),
  ...CODES.flatMap((code) => [reasonOf(code, true), reasonOf(code, false)]),
];
