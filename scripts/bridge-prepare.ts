/** `npm run bridge:prepare`: creates what the configured CRM lacks to hold the records. Safe to repeat. */
import { existsSync } from "node:fs";
import { Command } from "commander";
import { openAdapter } from "../bridge/adapters/index.ts";
import { adviceOnCrm } from "../bridge/advice.ts";
import { systemClock } from "../bridge/clock.ts";
import { readBridgeConfig, type BridgeConfig } from "../bridge/config.ts";
import { CrmMisconfigured, CrmUnavailable } from "../bridge/errors.ts";
import { createLog } from "../bridge/log.ts";
import { shownUrl } from "../bridge/shown-url.ts";
import { PROBLEM, runCommand } from "./bridge-command.ts";

async function prepare(): Promise<void> {
  if (existsSync(".env")) process.loadEnvFile(".env");
  const config = readBridgeConfig(process.env);
  const adapter = await openAdapter(config.crm, { clock: systemClock, log: createLog(config.logLevel) });
  const left: string[] = [];
  try {
    await adapter.prepare((undone) => {
      left.push(undone);
      process.stderr.write(`✖ ${undone}\n`);
    });
    await adapter.check();
  } catch (cause) {
    throw withPlace(cause, config.crm);
  } finally {
    await adapter.close();
  }
  if (left.length > 0) process.exitCode = PROBLEM;
  const state = left.length === 0 ? "is ready" : "takes the records, and what is said above is left to do";
  process.stdout.write(`The ${adapter.name} CRM ${state}.\n`);
  if (adapter.name === "frappe")
    process.stdout.write(
      "A bridge that is running uses new fields within ten minutes, or at once after a restart.\n",
    );
}

/** Where it was tried, and what helps. */
function withPlace(cause: unknown, crm: BridgeConfig["crm"]): unknown {
  if (!(cause instanceof CrmUnavailable || cause instanceof CrmMisconfigured)) return cause;
  const place = "url" in crm ? ` at ${shownUrl(crm.url)}` : "";
  const said = `The ${crm.kind} CRM${place} cannot be used: ${cause.message}`;
  const advice = adviceOnCrm(crm.kind, cause);
  return new Error(advice === null ? said : `${said.replace(/\.$/, "")}. ${advice}`, { cause });
}

await runCommand(
  new Command("npm run bridge:prepare --")
    .description("creates what the configured CRM lacks to hold the records; safe to repeat")
    .action(prepare),
);
