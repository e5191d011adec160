/** Something small that outlives the process: read as a whole, changed in one place. */
export interface Kept<T> {
  /** What is remembered now. A view: change it through `update` only. */
  read(): Readonly<T>;
  /**
   * Applies a change at once (`read` shows it) and resolves when it is kept; changes that meet are written together.
   * A change that throws leaves everything as it was.
   */
  update(change: (data: T) => void): Promise<void>;
  /**
   * The same for what may be lost with the process: it is kept with the next change that is waited for, and else within
   * moments. Nobody is told when that fails, but the change stays applied and the next write holds it.
   * @throws what `change` throws
   */
  note(change: (data: T) => void): void;
  close(): Promise<void>;
}
