/** The port to a remote client directory: numbered pages, and the three ways in which a page can fail to arrive. */
import type { DirectoryClient } from "../adapter.ts";

export interface DirectorySource {
  readonly name: string;
  /** Begins the codes of clients to whom the directory gives none. */
  readonly codePrefix: string;
  /**
   * Page `n`, counted from 1.
   * @throws DirectoryRefused when the directory does not know us (any more)
   * @throws DirectoryPageFailed when this page did not arrive whole; asking again may help
   */
  page(n: number, signal: AbortSignal): Promise<DirectoryPage>;
}

export interface DirectoryPage {
  clients: DirectoryClient[];
  /** Records of the page that are no clients as they stand; the others are not affected. */
  unreadable: UnreadableRecord[];
  totalPages: number;
  totalRecords: number;
  /** As the answer says; the directory may give less than it was asked for. */
  perPage: number;
}

export interface UnreadableRecord {
  /** The record's id, or `#` and its place on the page where it has none. */
  externalId: string;
  error: string;
}

/** The token is wrong or was taken back: no page will ever arrive. */
export class DirectoryRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DirectoryRefused";
  }
}

export class DirectoryPageFailed extends Error {
  /** What happened in our own words, without any of the directory's: fit for the log. */
  readonly reason: string;
  /** What the directory asked for, in seconds. */
  readonly retryAfterSeconds: number | null;

  constructor(
    reason: string,
    {
      said = null,
      retryAfterSeconds = null,
      cause,
    }: { said?: string | null; retryAfterSeconds?: number | null; cause?: unknown } = {},
  ) {
    super(said === null ? reason : `${reason}: ${said}`, cause === undefined ? undefined : { cause });
    this.name = "DirectoryPageFailed";
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
