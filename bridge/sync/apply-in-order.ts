/** Applies a list of events, several at once: those of one chat stay in order, because applying takes its chat's lane at once. */

/** More would not make a CRM faster, and fewer would wait for each answer of a remote one. */
const AT_ONCE = 8;

interface Steps<T> {
  apply: (item: T) => Promise<void>;
  /** Whether the others go on without one that threw. None is begun until it is answered: later ones of its chat would overtake it. */
  mayPass: (item: T, error: unknown) => Promise<boolean>;
}

/** Begins with the first and stops beginning new ones at the first that throws; what runs ends before it throws too. */
export async function applyInOrder<T>(items: T[], { apply, mayPass }: Steps<T>): Promise<void> {
  let next = 0;
  let isBroken = false;
  const asked = new Set<Promise<void>>();

  /** @throws what `item` threw, or why that could not be asked */
  const passOrBreak = async (item: T, error: unknown): Promise<void> => {
    let isPassed = false;
    try {
      isPassed = await mayPass(item, error);
    } finally {
      // Before those who wait for the answer go on.
      if (!isPassed) isBroken = true;
    }
    if (!isPassed) throw error;
  };
  const work = async (): Promise<void> => {
    for (;;) {
      while (asked.size > 0) await Promise.allSettled(asked);
      const item = isBroken ? undefined : items[next++];
      if (item === undefined) return;
      try {
        await apply(item);
      } catch (error) {
        const answer = passOrBreak(item, error);
        asked.add(answer);
        await answer.finally(() => asked.delete(answer));
      }
    }
  };
  const workers = Array.from({ length: AT_ONCE }, work);
  await Promise.allSettled(workers);
  await Promise.all(workers);
}
