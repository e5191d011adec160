/** A new master key takes the old one's place while the hub works: everything is sealed anew, then the key file changes. */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { adoptNextKey, nextKey } from "./master-key.ts";
import type { Rotation, Vault } from "./vault.ts";

const LOOK_EVERY_MS = 30_000;

export interface KeyRotation {
  /** Takes a key over that was laid down beside the present one; null when there is none. */
  turn(): Promise<Rotation | null>;
  stop(): Promise<void>;
}

/** Resolves when a rotation that was broken off is finished. */
export async function startKeyRotation({
  file,
  vault,
  onRotated = () => Promise.resolve(),
  clock,
  log,
}: {
  /** Null when the key comes from the configuration: a new one is only seen at a start. */
  file: string | null;
  vault: Vault;
  /** Everything is sealed with the new key. */
  onRotated?: (rotation: Rotation) => Promise<void>;
  clock: Clock;
  log: Log;
}): Promise<KeyRotation> {
  let running: Promise<Rotation | null> | null = null;

  async function finish(rotation: Rotation): Promise<Rotation> {
    if (file !== null) await adoptNextKey(file, clock.now());
    log.info({ ...rotation }, "vault.master_key_rotated");
    await onRotated(rotation);
    return rotation;
  }

  async function takeOver(): Promise<Rotation | null> {
    const next = file === null ? null : await nextKey(file);
    return next === null ? null : finish(await vault.rotate(next));
  }

  const turn = (): Promise<Rotation | null> =>
    (running ??= takeOver().finally(() => {
      running = null;
    }));

  const left = await vault.finishRotation();
  if (left.rewrapped > 0 || (file !== null && (await nextKey(file)) !== null)) await finish(left);
  const timer = setInterval(() => {
    turn().catch((err: unknown) => log.error({ err }, "vault.master_key_not_rotated"));
  }, LOOK_EVERY_MS);
  timer.unref();
  return {
    turn,
    stop: async () => {
      clearInterval(timer);
      await Promise.allSettled([running]);
    },
  };
}
