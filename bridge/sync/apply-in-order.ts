/** Applies a list of events, several at once: those of one chat stay in order, because applying takes its chat's lane at once. */

/** More would not make a CRM faster, and fewer would wait for each answer of a remote one. */
const AT_ONCE = 8;

/** Begins with the first and stops beginning new ones at the first that throws; what runs ends before it throws too. */
export async function applyInOrder<T>(items: T[], apply: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let isBroken = false;
  const work = async (): Promise<void> => {
    while (!isBroken) {
      const item = items[next++];
      if (item === undefined) return;
      try {
        await apply(item);
      } catch (error) {
        isBroken = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: AT_ONCE }, work);
  await Promise.allSettled(workers);
  await Promise.all(workers);
}
