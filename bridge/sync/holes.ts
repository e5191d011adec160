/** Numbers that pushed events leapt over. Pure: the caller says what came and what time it is. */

export interface Hole {
  from: number;
  to: number;
  /** Milliseconds. */
  openedAt: number;
}

export interface Holes {
  /** An event of this number is in the CRM. True when numbers before it are missing now that were not before. */
  noticed(seq: number, now: number): boolean;
  /** Everything up to here is known, whether it was pushed or not. */
  settledUpTo(seq: number): void;
  /** Open for at least so long; close ones come as one range, as one request reads them all. */
  due(now: number, openMs: number): { from: number; to: number }[];
  /** What a range held is known now. */
  closed(range: { from: number; to: number }): void;
  /** The range could not be read: it is due again later. */
  postponed(range: { from: number; to: number }, now: number): void;
  readonly isEmpty: boolean;
  /** The newest number that is known, and how many below it are not. */
  readonly reached: { top: number; missing: number };
}

/** Ranges nearer than this are read together, up to this length. */
const NEAR = 100;
const LONGEST_TOGETHER = 500;

export function createHoles(start: number): Holes {
  let top = start;
  let holes: Hole[] = [];

  const without = (hole: Hole, from: number, to: number): Hole[] => {
    if (to < hole.from || from > hole.to) return [hole];
    const rest = [
      { ...hole, to: from - 1 },
      { ...hole, from: to + 1 },
    ];
    return rest.filter((part) => part.from <= part.to);
  };

  return {
    noticed: (seq, now) => {
      if (seq <= top) {
        holes = holes.flatMap((hole) => without(hole, seq, seq));
        return false;
      }
      // Where nothing is known yet, nothing is missing: the first reading tells what there is.
      const opens = top > 0 && seq > top + 1;
      if (opens) holes.push({ from: top + 1, to: seq - 1, openedAt: now });
      top = seq;
      return opens;
    },
    settledUpTo: (seq) => {
      top = Math.max(top, seq);
      holes = holes.flatMap((hole) => without(hole, 0, seq));
    },
    due: (now, openMs) => {
      const ranges: { from: number; to: number }[] = [];
      for (const { from, to, openedAt } of holes) {
        if (now - openedAt < openMs) continue;
        const last = ranges.at(-1);
        if (last !== undefined && from - last.to <= NEAR && to - last.from < LONGEST_TOGETHER) last.to = to;
        else ranges.push({ from, to });
      }
      return ranges;
    },
    closed: ({ from, to }) => {
      holes = holes.flatMap((hole) => without(hole, from, to));
    },
    postponed: ({ from, to }, now) => {
      holes = holes.map((hole) => (hole.from >= from && hole.to <= to ? { ...hole, openedAt: now } : hole));
    },
    get isEmpty() {
      return holes.length === 0;
    },
    get reached() {
      return { top, missing: holes.reduce((sum, { from, to }) => sum + to - from + 1, 0) };
    },
  };
}
