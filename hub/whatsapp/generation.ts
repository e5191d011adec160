/** One life of one socket. Once fenced nothing of it reads keys or writes, whatever Baileys still has running. */

/** Thrown into Baileys when it touches the keys of a fenced generation; recognised where it ends up unhandled. */
export class GenerationEnded extends Error {
  constructor() {
    super("this connection has ended; its keys are not to be touched any more");
    this.name = "GenerationEnded";
  }
}

export interface Generation {
  isFenced(): boolean;
  /** Ends it, once: nothing received from now on may be acknowledged. `cause` is null for an end by order. */
  fence(cause: unknown): void;
  /** Called at the fence, in the order of registration. */
  onFence(listener: (cause: unknown) => void): void;
  assertAlive(): void;
}

export function createGeneration(): Generation {
  const listeners: ((cause: unknown) => void)[] = [];
  let fenced = false;
  return {
    isFenced: () => fenced,
    fence: (cause) => {
      if (fenced) return;
      fenced = true;
      for (const listener of listeners) listener(cause);
    },
    onFence: (listener) => void listeners.push(listener),
    assertAlive: () => {
      if (fenced) throw new GenerationEnded();
    },
  };
}
