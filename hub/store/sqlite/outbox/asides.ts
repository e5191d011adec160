/**
 * Endpoints that were seen to have nothing put aside: they are not asked again before something is. Only remembered, and
 * forgotten before the write that could make it untrue, so that one undone leaves at most a look too many.
 */
export interface Asides {
  isNone(endpoint: number): boolean;
  sawNone(endpoint: number): void;
  /** Something of this endpoint is put aside. */
  add(endpoint: number): void;
}

export function createAsides(): Asides {
  const none = new Set<number>();
  return {
    isNone: (endpoint) => none.has(endpoint),
    sawNone: (endpoint) => void none.add(endpoint),
    add: (endpoint) => void none.delete(endpoint),
  };
}
