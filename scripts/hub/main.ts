/** `npm run hub -- <command>`: the process. Settings come from .env, as the hub's own. */
import { existsSync } from "node:fs";
import { letReadersLeave } from "../let-readers-leave.ts";
import { askSecret } from "./ask-secret.ts";
import { runHubCommand } from "./program.ts";

// What a command writes into the data folder is for this user alone, as what the hub writes.
process.umask(0o077);
if (existsSync(".env")) process.loadEnvFile(".env");
letReadersLeave();
process.exitCode = await runHubCommand(process.argv.slice(2), {
  env: process.env,
  now: () => new Date(),
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  askSecret,
});
