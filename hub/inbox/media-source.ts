/** Fetches a file that a caller named by URL: one try, one deadline, no redirects, no address the guard refuses. */
import { isIP, type LookupFunction } from "node:net";
import type { Readable } from "node:stream";
import got, { RequestError, TimeoutError, type Response } from "got";
import { HubError } from "../core/errors.ts";
import { cleanMimetype } from "./media-kind.ts";

/** The part of the hub's address guard that a download needs. */
export interface DownloadGuard {
  /** Resolves a host and fails when any of its addresses must not be called. */
  lookup: LookupFunction;
  /** Throws when this literal address must not be called; resolvers are never asked about literals. */
  checkIp(address: string): void;
}

export interface UrlSource {
  url: string;
  guard: DownloadGuard;
  capBytes: number;
  timeoutMs: number;
}

export interface IncomingFile {
  bytes: Readable;
  filename: string | null;
  mimetype: string | null;
}

/** Opens the URL and hands the body to `take`; every failure on the way there is a MEDIA_ERROR that names its cause. */
export async function fetchUrl<T>(source: UrlSource, take: (file: IncomingFile) => Promise<T>): Promise<T> {
  const url = allowedUrl(source);
  const stream = got.stream(url, {
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
    retry: { limit: 0 },
    timeout: { connect: 5_000, request: source.timeoutMs },
    dnsLookup: source.guard.lookup,
    https: { minVersion: "TLSv1.2" },
    headers: { accept: "*/*", "user-agent": "inbox-hub" },
  });
  // A failure after `take` gave up has nobody left to tell.
  stream.on("error", () => undefined);
  try {
    const response = await headOf(stream);
    refuseByHead(response, source.capBytes);
    return await take({
      bytes: stream,
      filename: nameIn(url),
      mimetype: cleanMimetype(response.headers["content-type"] ?? null),
    });
  } catch (error) {
    throw translated(error);
  } finally {
    stream.destroy();
  }
}

const failed = (why: string, details: Record<string, unknown> = {}, cause?: unknown): HubError =>
  new HubError("MEDIA_ERROR", `The file could not be fetched: ${why}.`, { details, cause });

function allowedUrl({ url: written, guard }: UrlSource): URL {
  if (!URL.canParse(written)) throw failed("this is no URL");
  const url = new URL(written);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw failed("only http and https URLs are fetched");
  if (url.username !== "" || url.password !== "")
    throw failed("URLs with a user name or password are not fetched");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0) {
    try {
      guard.checkIp(host);
    } catch (error) {
      throw translated(error);
    }
  }
  return url;
}

async function headOf(stream: ReturnType<typeof got.stream>): Promise<Response> {
  return new Promise((resolve, reject) => {
    stream.once("response", resolve);
    stream.once("error", reject);
  });
}

function refuseByHead({ statusCode, headers }: Response, capBytes: number): void {
  if (statusCode >= 300 && statusCode < 400)
    throw failed("redirects are not followed", { status: statusCode });
  if (statusCode !== 200) throw failed(`the server answered ${statusCode}`, { status: statusCode });
  if (headers["content-encoding"] !== undefined && headers["content-encoding"] !== "identity")
    throw failed("the server sent it compressed");
  if (Number(headers["content-length"] ?? 0) > capBytes) throw tooBig(capBytes);
}

export const tooBig = (capBytes: number): HubError =>
  new HubError("MEDIA_ERROR", "The file is too big.", { details: { capBytes } });

function translated(error: unknown): HubError {
  if (error instanceof HubError && error.code !== "VALIDATION_ERROR") return error;
  if (error instanceof TimeoutError) return failed("it did not arrive in time", {}, error);
  // The guard refuses inside the resolver; the library wraps what it threw.
  const refusal = [error, error instanceof Error ? error.cause : null].find((it) => it instanceof HubError);
  if (refusal instanceof HubError) return failed(withoutStop(refusal.message), {}, error);
  if (error instanceof RequestError) return failed(`no answer (${error.code})`, { cause: error.code }, error);
  throw error;
}

const withoutStop = (sentence: string): string => sentence.replace(/\.$/, "");

function nameIn(url: URL): string | null {
  const last = url.pathname.split("/").at(-1) ?? "";
  if (last === "") return null;
  try {
    return decodeURIComponent(last);
  } catch (error) {
    if (error instanceof URIError) return last; // badly encoded: the raw name is still a name
    throw error;
  }
}
