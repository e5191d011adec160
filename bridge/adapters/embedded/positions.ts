/** Whether what is told now is newer than what is held; the port's rule of positions. */
import type { Position } from "../../adapter.ts";

/** Equal positions may overwrite; an unknown one never overwrites a known one. */
export const mayOverwrite = (held: Position, told: Position): boolean =>
  held === null || (told !== null && told >= held);

export const laterOf = (held: Position, told: Position): Position =>
  held === null || (told !== null && told > held) ? told : held;
