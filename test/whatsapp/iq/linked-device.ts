/** Queries about the companion itself: it is ready for its messages; it unlinks itself (Baileys rc14: sendPassiveIq, logout). */
import { unlink } from "../link/unlink.ts";
import { becomeActive } from "../link/become-active.ts";
import { OK, type IqHandler } from "./answer.ts";

export const goActive: IqHandler = ({ companion }, world) => {
  // After the answer: Baileys waits for it before anything else.
  setImmediate(() => becomeActive(companion, world));
  return OK;
};

export const removeCompanion: IqHandler = ({ companion }, world) => {
  setImmediate(() => unlink(companion, "companion", world));
  return OK;
};
