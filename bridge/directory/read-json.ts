/** One GET of a directory: one deadline over the whole exchange, nothing followed, an answer of bounded size, as JSON. */
import got, { RequestError, TimeoutError, type Response } from "got";
import { DirectoryPageFailed, DirectoryRefused } from "./source.ts";

const ANSWER_LIMIT = 32 * 1024 * 1024;

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
  const tooLong = new AbortController();
  const request = got(url, {
    headers: { accept: "application/json", "user-agent": "inbox-bridge", ...headers },
    responseType: "text",
    followRedirect: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    timeout: { connect: Math.min(10_000, timeoutMs), request: timeoutMs },
    signal: AbortSignal.any([signal, tooLong.signal]),
  });
  void request.on("downloadProgress", ({ transferred }) => {
    if (transferred > ANSWER_LIMIT) tooLong.abort();
  });
  try {
    return await request;
  } catch (error) {
    signal.throwIfAborted();
    if (tooLong.signal.aborted) throw new DirectoryPageFailed("the answer is longer than 32 MiB");
    if (error instanceof TimeoutError)
      throw new DirectoryPageFailed(`no whole answer within ${timeoutMs / 1000} s`, { cause: error });
    if (error instanceof RequestError)
      throw new DirectoryPageFailed(`no answer (${error.code})`, { cause: error });
    throw error;
  }
}

const secondsOf = (retryAfter: string | undefined): number | null =>
  retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null;
