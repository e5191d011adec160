/** Failures of a send in two directions: what the library threw → what is recorded, what was recorded → what a caller gets. */
import { ERROR_CODES, type ErrorCode } from "../contract/errors.ts";
import { adviceOnRefusal, RESTRICTED } from "../core/advice-on-refusals.ts";
import { inSpanish } from "../core/advice.ts";
import { HubError } from "../core/errors.ts";

/** As the status `failed` keeps it. */
export interface Refusal {
  code: string;
  error: string;
}

/** Nothing was refused: the connection (or our disk under it) went away, and the message can still be sent. */
export const isInterruption = (error: unknown): boolean =>
  error instanceof HubError &&
  (error.code === "SESSION_NOT_CONNECTED" ||
    error.code === "SHUTTING_DOWN" ||
    error.code === "STORE_UNAVAILABLE");

const TOO_MANY_REQUESTS = 429;

/**
 * Nothing left, and nothing was said of the message: WhatsApp wants fewer questions (about devices, keys, members of a group), or
 * does not answer them. What it says of a message itself is no exception, but a fact.
 */
export const isNotNow = (error: unknown): boolean =>
  error instanceof HubError &&
  (error.code === "OVERLOADED" || error.details?.["whatsappCode"] === TOO_MANY_REQUESTS);

export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof HubError))
    return { code: "WHATSAPP_ERROR", error: "The message could not be sent." };
  const whatsappCode = error.details?.["whatsappCode"];
  const code =
    typeof whatsappCode === "string" || typeof whatsappCode === "number" ? `${whatsappCode}` : error.code;
  return { code, error: error.message };
}

/** Always a 422: after the message may have left, a caller must not take the failure for one that is safe to repeat. */
export function refusalError(
  { code, error }: Refusal,
  messageId: string,
  until: Date | null = null,
): HubError {
  const advice = adviceOnRefusal(code === "RECIPIENT_RESTRICTED" ? RESTRICTED : code);
  const help = advice === null ? {} : { advice, adviceEs: inSpanish(advice) };
  if (code === RESTRICTED || code === "RECIPIENT_RESTRICTED")
    return new HubError(
      "RECIPIENT_RESTRICTED",
      "WhatsApp does not let this account open new chats at the moment.",
      {
        details: {
          messageId,
          whatsappCode: RESTRICTED,
          ...(until === null ? {} : { until: until.toISOString() }),
          ...help,
        },
      },
    );
  const known = FINAL.find((it) => it === code);
  if (known !== undefined && known !== "WHATSAPP_ERROR")
    return new HubError(known, error, { details: { messageId } });
  return new HubError("WHATSAPP_ERROR", `WhatsApp did not take it: ${error}`, {
    details: { messageId, whatsappCode: code, ...help },
  });
}

const FINAL = ERROR_CODES.filter((code) =>
  (["MEDIA_ERROR", "RECIPIENT_NOT_ON_WHATSAPP", "WHATSAPP_ERROR"] as ErrorCode[]).includes(code),
);
