/** All operator's commands, and how each of them ends: 0 fine, 1 something is wrong, 2 called in a way that makes no sense. */
import { Command, CommanderError } from "commander";
import { ConfigError } from "../../hub/config.ts";
import { addAudit } from "./audit.ts";
import { addBackups } from "./backups.ts";
import { CommandError, UsageError } from "./command-error.ts";
import type { Bench, Desk } from "./desk.ts";
import { addDoctor } from "./doctor.ts";
import { addDrill } from "./drill.ts";
import { addEndpoints } from "./endpoints.ts";
import { addFixSession } from "./fix-session.ts";
import { callHub } from "./hub-calls.ts";
import { addKeys } from "./keys.ts";
import { addLogins } from "./logins.ts";
import { addMasterKey } from "./master-key.ts";
import { addReplay } from "./replay.ts";
import { addRestoreLogin } from "./restore-login.ts";
import { addSessions } from "./sessions.ts";
import { addStatus } from "./status.ts";
import { addUsers } from "./users.ts";

const PROBLEM = 1;
const WRONG_USE = 2;

/** Runs one command line (what follows `npm run hub --`); its exit code. */
export async function runHubCommand(args: string[], desk: Desk): Promise<number> {
  let code = 0;
  const program = new Command("npm run hub --")
    .description(
      "Operates Inbox Hub: the one that runs (HUB_URL, HUB_API_KEY), or the files of one that is stopped.",
    )
    .option("--json", "answer for programs", false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => desk.out(text.trimEnd()),
      writeErr: (text) => desk.err(text.trimEnd()),
    })
    .showHelpAfterError("Add --help to see how it is called.");
  const bench: Bench = {
    desk,
    hub: () => callHub(desk.env),
    show: ({ data, text, isProblem = false }) => {
      if (isProblem) code = PROBLEM;
      desk.out(program.opts<{ json: boolean }>().json ? JSON.stringify(data, null, 2) : text);
    },
  };
  for (const add of [
    addStatus,
    addDoctor,
    addSessions,
    addFixSession,
    addReplay,
    addEndpoints,
    addKeys,
    addUsers,
    addAudit,
    addBackups,
    addDrill,
    addRestoreLogin,
    addLogins,
    addMasterKey,
  ])
    add(program, bench);

  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USE; // it has said why
    if (error instanceof UsageError) {
      desk.err(error.message);
      return WRONG_USE;
    }
    if (error instanceof CommandError || error instanceof ConfigError) {
      desk.err(error.message);
      return PROBLEM;
    }
    throw error;
  }
}
