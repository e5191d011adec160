/** Which pieces of the history were announced and are not stored yet: what the end of an import has to wait for. */
import type { HistoryNotice } from "./intake.ts";
import { isOnDemand } from "./translate/history.ts";

/**
 * `library`: Baileys fetches it, or failed to and only logged that. `fetched`: it has it, in its buffer perhaps. `ours`: we
 * fetch it. `storing`: it is being written. `failed`: not fetched, the next sweep or connection tries again. `held`: stored,
 * but that it was the last one is not told while earlier ones are missing. What is stored goes. A crash forgets all of it: the
 * rows of what was not closed are read again.
 */
export type PieceState = "library" | "fetched" | "ours" | "storing" | "failed" | "held";

export interface Piece {
  readonly notice: HistoryNotice;
  /** Of announcement. */
  readonly order: number;
  /** Unix milliseconds. */
  readonly since: number;
  state: PieceState;
  /** How often a file server said that it is gone. */
  gone: number;
}

/** Baileys fetches one piece at a time, right after it was announced; what takes so long failed. */
const FETCH_MS = 2 * 60_000;

export interface HistoryNotices {
  /** The piece that this notice is about; the one known already when it is announced again. */
  take(notice: HistoryNotice, state: "library" | "ours"): Piece;
  find(notice: HistoryNotice): Piece | undefined;
  /** The first one that Baileys may just have fetched under this name. */
  named(name: PieceName): Piece | undefined;
  in(state: PieceState): Piece[];
  /** Announced before it, and not there. */
  before(piece: Piece): Piece[];
  /** Pieces without which it cannot be the last. */
  missingFor(piece: Piece): Piece[];
  /** True while somebody cares for it. */
  isUnderWay(digest: Uint8Array): boolean;
  isBusy(): boolean;
  done(pieces: Piece[]): void;
}

export interface PieceName {
  syncType?: number | null | undefined;
  chunkOrder?: number | null | undefined;
}

export const bears = ({ notice: { notification } }: Piece, { syncType, chunkOrder }: PieceName): boolean =>
  notification.syncType === syncType && (notification.chunkOrder ?? 0) === (chunkOrder ?? 0);

export function createHistoryNotices(now: () => Date): HistoryNotices {
  const pieces = new Map<string, Piece>();
  let announced = 0;
  const nameOf = (digest: Uint8Array): string => Buffer.from(digest).toString("hex");
  const all = (): Piece[] => [...pieces.values()];

  return {
    take: (notice, state) => {
      const name = nameOf(notice.digest);
      const since = now().getTime();
      const piece = pieces.get(name) ?? { notice, order: ++announced, since, state, gone: 0 };
      piece.state = state;
      pieces.set(name, piece);
      return piece;
    },
    find: ({ digest }) => pieces.get(nameOf(digest)),
    named: (name) => all().find((piece) => piece.state === "library" && bears(piece, name)),
    in: (state) => all().filter((piece) => piece.state === state),
    before: ({ order }) => all().filter((piece) => piece.order < order),
    missingFor: (last) =>
      all().filter(
        (piece) =>
          piece !== last &&
          piece.state !== "held" &&
          !isOnDemand(piece.notice.notification.syncType) &&
          (piece.order < last.order ||
            piece.notice.notification.syncType === last.notice.notification.syncType),
      ),
    isUnderWay: (digest) => {
      const piece = pieces.get(nameOf(digest));
      if (piece === undefined || piece.state === "failed") return false;
      return piece.state !== "library" || now().getTime() - piece.since < FETCH_MS;
    },
    isBusy: () => all().some(({ state }) => state !== "failed" && state !== "held"),
    done: (stored) => {
      for (const { notice } of stored) pieces.delete(nameOf(notice.digest));
    },
  };
}
