/** Answers of bounded size: one without an end, or far longer than anything agreed, must not fill the bridge's memory. */

const ANSWER_LIMIT = 32 * 1024 * 1024;
/** Room for a whole page of the longest texts that WhatsApp has. */
export const PAGE_LIMIT = 128 * 1024 * 1024;

export class AnswerTooLong extends Error {
  /** As those of Node.js: the way to the answer failed. */
  readonly code = "ERR_ANSWER_TOO_LONG";

  constructor(limit: number) {
    super(`the answer is longer than ${limit / 1024 / 1024} MiB`);
    this.name = "AnswerTooLong";
  }
}

/** A request under way that tells how much of its answer it has read, unpacked. */
interface Reading<T> extends Promise<T> {
  on(event: "downloadProgress", listener: (progress: { transferred: number }) => void): unknown;
}

/** `start` begins the request, which ends when its signal says so. @throws AnswerTooLong */
export async function withinLimit<T>(
  start: (signal: AbortSignal) => Reading<T>,
  limit: number = ANSWER_LIMIT,
): Promise<T> {
  const tooLong = new AbortController();
  const request = start(tooLong.signal);
  void request.on("downloadProgress", ({ transferred }) => {
    if (transferred > limit) tooLong.abort();
  });
  try {
    return await request;
  } catch (error) {
    if (tooLong.signal.aborted) throw new AnswerTooLong(limit);
    throw error;
  }
}
