/** One GET of a directory: one deadline over the whole exchange, nothing followed, an answer of bounded size, as JSON. */
import got, { RequestError, TimeoutError, type Response } from "got";
import { AnswerTooLong, withinLimit } from "../answer-limit.ts";
import { DirectoryPageFailed, DirectoryRefused } from "./source.ts";

export interface JsonRequest {
  url: URL;
  headers: Record<string, string>;
  timeoutMs: number;
  signal: AbortSignal;
}

/** @throws DirectoryRefused, DirectoryPageFailed */
export async function readJson(request: JsonRequest): Promise<unknown> {
  const { statusCode, headers, body } = await fetchText(request);
  if (statusCode === 401)
    throw new DirectoryRefused("The directory answered HTTP 401: it refuses the token.");
  if (statusCode < 200 || statusCode > 299)
    throw new DirectoryPageFailed(`HTTP ${statusCode}`, {
      retryAfterSeconds: secondsOf(headers["retry-after"]),
    });
  try {
    return JSON.parse(body);
  } catch {
    // The parser's own message quotes the answer, which is about people: it must not travel further.
    throw new DirectoryPageFailed("the answer is not JSON");
  }
}

async function fetchText({ url, headers, timeoutMs, signal }: JsonRequest): Promise<Response<string>> {
  try {
    return await withinLimit((tooLong) =>
      got(url, {
        headers: { accept: "application/json", "user-agent": "inbox-bridge", ...headers },
        responseType: "text",
        followRedirect: false,
        throwHttpErrors: false,
        retry: { limit: 0 },
        timeout: { connect: Math.min(10_000, timeoutMs), request: timeoutMs },
        signal: AbortSignal.any([signal, tooLong]),
      }),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AnswerTooLong) throw new DirectoryPageFailed(error.message);
    if (error instanceof TimeoutError)
      throw new DirectoryPageFailed(`no whole answer within ${timeoutMs / 1000} s`, { cause: error });
    if (error instanceof RequestError)
      throw new DirectoryPageFailed(`no answer (${error.code})`, { cause: error });
    throw error;
  }
}

const secondsOf = (retryAfter: string | undefined): number | null =>
  retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null;
