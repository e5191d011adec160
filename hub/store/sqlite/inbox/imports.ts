/**
 * How far the import has come that follows linking. Its pieces are numbered within their kind and come in any order, some of
 * them after the one that says that it is the last: the import is complete when none is missing. Should the numbers of some
 * phone not begin at 1, the silence after the last one says so.
 */
import type { Fact, HistoryPiece } from "../../../core/facts.ts";
import type { Engine } from "../engine.ts";
import { bit, fromJson, toJson } from "../json.ts";

export interface Imports {
  isComplete(session: number): boolean;
  /** A piece is stored; true when the import is complete with it. */
  took(session: number, piece: Fact & { kind: "history" }): boolean;
  /** Nothing more comes; true when that is news. `lacking`: what was announced is not all there. */
  paused(session: number, lacking: boolean): boolean;
}

interface HistoryRow {
  complete: number;
  pieces: string | null;
}

/** What came, by kind. */
interface Pieces {
  login: string | null;
  kinds: Record<string, { orders: number[]; last: number | null }>;
  isPaused: boolean;
}

const NONE: Pieces = { login: null, kinds: {}, isPaused: false };

export function createImports({ db }: Engine): Imports {
  const find = db.prepare<[number], HistoryRow>("SELECT complete, pieces FROM history WHERE session = ?");
  const save = db.prepare(
    `INSERT INTO history(session, complete, pieces) VALUES(?, ?, ?)
     ON CONFLICT(session) DO UPDATE SET complete = excluded.complete, pieces = excluded.pieces`,
  );
  const piecesOf = (row: HistoryRow | undefined): Pieces =>
    row?.pieces ? fromJson<Pieces>(row.pieces) : NONE;

  return {
    isComplete: (session) => find.get(session)?.complete === 1,
    took: (session, { syncType, piece, done }) => {
      const before = find.get(session);
      const known = piecesOf(before);
      const pieces = piece === null ? known : withPiece(known, { ...piece, syncType, done });
      const complete = piece === null ? done : isWhole(pieces);
      save.run(session, bit(complete), toJson({ ...pieces, isPaused: false }));
      return complete && (done || before?.complete !== 1);
    },
    paused: (session, lacking) => {
      const row = find.get(session);
      const pieces = piecesOf(row);
      if (row === undefined || row.complete === 1 || pieces.isPaused) return false;
      const complete = !lacking && isWhole(pieces, lowest);
      save.run(session, bit(complete), toJson({ ...pieces, isPaused: true }));
      return true;
    },
  };
}

function withPiece(
  { login: knownLogin, kinds: known, isPaused }: Pieces,
  { login, order, syncType, done }: HistoryPiece & { syncType: string; done: boolean },
): Pieces {
  const kinds = knownLogin === login ? known : {};
  const { orders, last } = kinds[syncType] ?? { orders: [], last: null };
  const kind = { orders: [...new Set([...orders, order])], last: done ? order : last };
  return { login, kinds: { ...kinds, [syncType]: kind }, isPaused };
}

const lowest = (orders: number[]): number => Math.min(...orders);

/** No gap from where the numbers begin up to the last piece, in any kind. */
const isWhole = ({ kinds }: Pieces, firstOf: (orders: number[]) => number = () => 1): boolean =>
  Object.keys(kinds).length > 0 &&
  Object.values(kinds).every(({ orders, last }) => {
    const held = new Set(orders);
    for (let order = firstOf(orders); last !== null && order <= last; order++)
      if (!held.has(order)) return false;
    return last !== null;
  });
