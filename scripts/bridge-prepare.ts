/** `npm run bridge:prepare`: creates what the configured CRM lacks to hold the records. Safe to repeat. */
import { existsSync } from "node:fs";
import { openAdapter } from "../bridge/adapters/index.ts";
import { systemClock } from "../bridge/clock.ts";
import { readBridgeConfig } from "../bridge/config.ts";
import { createLog } from "../bridge/log.ts";
import { command } from "./bridge-caller.ts";

await command(async () => {
  if (existsSync(".env")) process.loadEnvFile(".env");
  const config = readBridgeConfig(process.env);
  const adapter = await openAdapter(config.crm, { clock: systemClock, log: createLog(config.logLevel) });
  try {
    await adapter.prepare();
    await adapter.check();
  } finally {
    await adapter.close();
  }
  process.stdout.write(`The ${adapter.name} CRM is ready.\n`);
  if (adapter.name === "frappe")
    process.stdout.write(
      "A bridge that is running uses new fields within ten minutes, or at once after a restart.\n",
    );
});
