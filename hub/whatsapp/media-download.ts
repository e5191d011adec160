/** The bytes of a message's file. WhatsApp keeps copies for some weeks only; after that the phone is asked for a new one. */
import { Readable } from "node:stream";
import { HubError } from "../core/errors.ts";
import type { Message } from "../core/message.ts";
import type { WhatsAppKey } from "../core/whatsapp.ts";
import type { Asking } from "./asking.ts";
import { downloadMediaMessage, extractMessageContent, type WAMessage, type WASocket } from "./baileys.ts";
import { keepPlacesAtWhatsApp, ONLY_WHATSAPP } from "./file-hosts.ts";
import { keyOf, protoOf } from "./outgoing.ts";

/** Answers of WhatsApp's file servers that mean: this copy is gone. */
const EXPIRED = [403, 404, 410];
/** A phone that is off answers when it is back; whoever waits for the file asks again then. */
const PHONE_DEADLINE_MS = 60_000;

export interface MediaDownloadParts {
  socket: Pick<WASocket, "updateMediaMessage">;
  asking: Asking;
  asAddressed: <T extends WhatsAppKey>(key: T) => Promise<T>;
  phoneDeadlineMs?: number;
}

export function createMediaDownload({
  socket,
  asking,
  asAddressed,
  phoneDeadlineMs = PHONE_DEADLINE_MS,
}: MediaDownloadParts): (message: Message) => Promise<Readable> {
  /** The message with the place of the new copy. The library's own way looks for the status in the wrong member. */
  async function uploadedAgain(wanted: WAMessage): Promise<WAMessage> {
    try {
      return await inTime(socket.updateMediaMessage(wanted), phoneDeadlineMs);
    } catch (cause) {
      throw statusOf(cause) === 404 ? gone(cause) : cause;
    }
  }

  return async (message) => {
    const content = protoOf(message);
    if (content === null)
      throw new HubError("MEDIA_ERROR", "What WhatsApp needs to fetch this file was not kept.");
    return asking.ask("deliver the file", "MEDIA_ERROR", async () => {
      const wanted: WAMessage = { key: keyOf(await asAddressed(message)), message: content };
      try {
        return await fetchFile(wanted);
      } catch (cause) {
        if (!isExpired(cause)) throw cause;
      }
      const again = await uploadedAgain(wanted);
      try {
        return await fetchFile(again);
      } catch (cause) {
        throw isExpired(cause) ? gone(cause) : cause;
      }
    });
  };
}

async function fetchFile(message: WAMessage): Promise<Readable> {
  if (!isAtWhatsApp(message)) throw gone("what the message names is no place of WhatsApp's");
  const source: Readable = await downloadMediaMessage(message, "stream", { options: ONLY_WHATSAPP });
  // It may break before anybody reads it; whoever does is told then.
  source.on("error", () => undefined);
  const file = Readable.from(unlessBroken(source), { objectMode: false });
  return file.once("close", () => source.destroy());
}

/** Takes out of the message every place that is not; false when its file lies nowhere then. */
function isAtWhatsApp({ message }: WAMessage): boolean {
  const parts: unknown[] = Object.values(extractMessageContent(message) ?? {});
  return parts.map((part) => isFile(part) && keepPlacesAtWhatsApp(part)).includes(true);
}

const isFile = (part: unknown): part is { url?: string; directPath?: string } =>
  typeof part === "object" && part !== null && ("url" in part || "directPath" in part);

/** What fails on the way is a matter of this copy, and has its name before it meets the failures of our own disk. */
async function* unlessBroken(source: Readable): AsyncGenerator<Buffer> {
  try {
    // A stream that was given no encoding reads as bytes.
    for await (const chunk of source as AsyncIterable<Buffer>) yield chunk;
  } catch (cause) {
    throw new HubError("MEDIA_ERROR", "WhatsApp's copy of the file came damaged, or was cut off.", { cause });
  }
}

const gone = (cause: unknown): HubError =>
  new HubError("MEDIA_NOT_FOUND", "Neither WhatsApp nor the phone has this file any more.", { cause });

const isExpired = (cause: unknown): boolean => EXPIRED.includes(statusOf(cause));

/** The library's errors carry HTTP's number in `output`. */
function statusOf(cause: unknown): number {
  const output: unknown = cause instanceof Error && "output" in cause ? cause.output : null;
  const status: unknown =
    typeof output === "object" && output !== null && "statusCode" in output ? output.statusCode : null;
  return typeof status === "number" ? status : 0;
}

async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("the phone did not answer in time")), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
