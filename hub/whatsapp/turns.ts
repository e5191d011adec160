/**
 * A flood in pieces. Baileys goes from one message to the next without ever giving the event loop a turn: a thousand of
 * them held timers, requests and other connections back for as long as they lasted.
 */
import type { RawSocket } from "./outgoing-gate.ts";

/** Of one turn of the event loop, over all sessions. */
const DECRYPTING_MS = 20;
const FRAMES = 64;

let decryptingSince: number | null = null;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Resolves at once, or when this turn has had its share, in a later one. To be asked before each message is decrypted. */
export async function shareOfTurn(): Promise<void> {
  while (decryptingSince !== null && performance.now() - decryptingSince >= DECRYPTING_MS) await nextTurn();
  if (decryptingSince !== null) return;
  decryptingSince = performance.now();
  setImmediate(() => (decryptingSince = null));
}

/** Leaves the rest of what has come in the system's buffer until the next turn, and so slows whoever sends it. */
export function readInTurns(
  socket: Pick<RawSocket, "pause" | "resume">,
  onMessage: (listener: () => void) => void,
): void {
  let frames = 0;
  onMessage(() => {
    frames += 1;
    if (frames === 1)
      setImmediate(() => {
        if (frames >= FRAMES) socket.resume();
        frames = 0;
      });
    if (frames === FRAMES) socket.pause();
  });
}
