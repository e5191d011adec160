/** What people are told while an account that looks connected is being cured: what is wrong, and what was done about it. */
import type { Cause } from "./reasons.ts";
import type { Step, Trouble } from "./watch.ts";

const WRONG: Record<Trouble, Cause> = {
  server: {
    code: "server_silent",
    text: "WhatsApp does not answer on a connection that looks open.",
    blame: "network",
    advice: "Nothing to do yet: the hub makes a new connection by itself.",
  },
  pipeline: {
    code: "messages_stuck",
    text: "Messages that came in are not stored in time.",
    blame: "hub",
    advice: "Look at the hub's load and disk; the hub tries to free them by itself.",
  },
  inbound: {
    code: "nothing_heard",
    text: "Nothing comes in, and the phone does not answer.",
    blame: "whatsapp",
    advice: "Check that the phone is on and online; the hub makes a new connection by itself.",
  },
};

const DONE: Record<Step, string> = {
  stir: "What was held back was stored.",
  new_socket: "A new connection is made.",
  second_socket: "A second new connection is made.",
  restart: "The hub starts itself again.",
  give_up: "Nothing helped; the hub goes on asking, and changes nothing more.",
};

export const causeOf = (trouble: Trouble, step: Step): Cause => ({
  ...WRONG[trouble],
  text: `${WRONG[trouble].text} ${DONE[step]}`,
  ...(step === "give_up" ? { code: NOT_CURED, advice: GIVEN_UP } : {}),
});

/** Code of an account that nothing helped: people have to look. */
const NOT_CURED = "not_cured";
const GIVEN_UP = "Open WhatsApp on the phone; if messages arrive there and not here, restart the session.";

/** Said of a connection that nothing comes over any more, not even an answer to a ping. */
export const CUT_OFF = "no frame for too long";
