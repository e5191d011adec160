/** A partial change without the members that were left out: "not said" must not read as "set to nothing". */
export type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

export function given<T extends object>(change: T): Given<T> {
  const entries = Object.entries(change).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<T>; // the same keys with the same values, minus the undefined ones
}
