/** What helps when a message was not taken, by WhatsApp's number or our word for the cause. Spanish: `advice.ts`. */

/** WhatsApp's number for "this account may not open new chats now". */
export const RESTRICTED = "463";

const ADVICE: Record<string, string> = {
  [RESTRICTED]:
    "Let the person write first, or wait until the restriction ends; do not send it again before. Chats of people who wrote go on.",
  "479":
    "The receiver's devices were asked for anew and it was refused again; try once more in some minutes.",
  "429": "Send fewer messages for some hours.",
  expired: "Send it again if it still matters.",
  unconfirmed: "Look on the phone whether it arrived before sending it again.",
};

/** Null where nothing is known that helps. */
export const adviceOnRefusal = (code: string): string | null => ADVICE[code] ?? null;
export const ALL_ADVICE = Object.values(ADVICE);
