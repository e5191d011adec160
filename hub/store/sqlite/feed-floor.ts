/** Where the feed begins: from this number on the log of events is whole; below it stands only what a delivery still needs. */
export interface FeedFloor {
  read(): number;
  /** Part of the caller's transaction. */
  raise(to: number): void;
}

export function createFeedFloor(meta: {
  read(key: string): string;
  write(key: string, value: string): void;
}): FeedFloor {
  // Read anew each time: a transaction that fails takes it back.
  const read = (): number => Number(meta.read("feed_floor"));
  return {
    read,
    raise: (to) => {
      if (to > read()) meta.write("feed_floor", String(to));
    },
  };
}
