/** Numbers that look random and are the same for the same seed: an account has to be reproducible to the last message. */

export interface SeededRandom {
  /** 0 ≤ n < below. */
  int(below: number): number;
  pick<T>(from: readonly T[]): T;
  hex(characters: number): string;
}

/** mulberry32, started from a hash of the seed (FNV-1a). */
export function createRandom(seed: string): SeededRandom {
  let state = 0x811c9dc5;
  for (const character of seed) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);

  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    pick(from) {
      const found = from[int(from.length)];
      if (found === undefined) throw new Error("nothing to pick from");
      return found;
    },
    hex: (characters) =>
      Array.from({ length: characters }, () => int(16).toString(16).toUpperCase()).join(""),
  };
}
