/** Going forward in a receiving chain while keeping the seeds of messages that have not come yet. */
import { type Chain, messageSeed, nextLink } from "./kdf.ts";

/** How far a peer may run ahead, and how many seeds a chain keeps for late comers. */
const MAX_SKIPPED = 2000;

export interface ReceivingChain {
  chain: Chain;
  /** By index, oldest first. */
  skipped: Map<number, Buffer>;
}

/** The seed of one message; `use` takes it out of the chain and is to be called once the message proved genuine. */
export function seedOf(receiving: ReceivingChain, index: number): { seed: Buffer; use: () => void } {
  if (index < receiving.chain.index) {
    const seed = receiving.skipped.get(index);
    if (!seed) throw new Error(`message ${index} of a chain at ${receiving.chain.index} was read before`);
    return { seed, use: () => receiving.skipped.delete(index) };
  }
  if (index - receiving.chain.index > MAX_SKIPPED) throw new Error("a message too far in the future");

  let chain = receiving.chain;
  const passed: [number, Buffer][] = [];
  for (; chain.index < index; chain = nextLink(chain)) passed.push([chain.index, messageSeed(chain)]);
  const use = () => {
    receiving.chain = nextLink(chain);
    for (const [at, seed] of passed) receiving.skipped.set(at, seed);
    for (const at of receiving.skipped.keys()) {
      if (receiving.skipped.size <= MAX_SKIPPED) break;
      receiving.skipped.delete(at);
    }
  };
  return { seed: messageSeed(chain), use };
}
