/** A bridge that dies at a step of its choice: before or after any call it makes to hub, CRM or state. */
import { gated, type SyncWorld } from "./sync-rig.ts";

const forEver = new Promise<never>(() => undefined);

/** A process that makes so many steps and no more. */
export function mortal(world: SyncWorld, steps: number) {
  let taken = 0;
  let died = (): void => undefined;
  const death = new Promise<"dead">((resolve) => (died = () => resolve("dead")));
  const gate = (): Promise<void> => {
    taken += 1;
    if (taken <= steps) return Promise.resolve();
    died();
    return forEver;
  };
  const process = world.begin({
    hub: gated(world.hub, gate),
    adapter: gated(world.adapter, gate),
    // A change takes effect at once, or the process is dead before it.
    state: {
      ...world.state,
      update: (change) => (taken < steps ? world.state.update(change).then(gate) : gate()),
    },
  });
  return { process, death, taken: () => taken };
}
