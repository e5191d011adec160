/** How the operator's commands for the bridge are called and end: 0 fine, 1 something is wrong, 2 called in a way that makes no sense. */
import { type Command, CommanderError } from "commander";
import { letReadersLeave } from "./let-readers-leave.ts";

export const PROBLEM = 1;
const WRONG_USE = 2;

/** What goes wrong is said in one line. */
export async function runCommand(command: Command): Promise<void> {
  letReadersLeave();
  try {
    await command.exitOverride().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : WRONG_USE; // it has said why
      return;
    }
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = PROBLEM;
  }
}
