/** The process: environment → configuration → bridge → ready → wait for a signal → stop. The only reader of the environment. */
import { existsSync } from "node:fs";
import { startBridge } from "./bridge.ts";
import { BridgeConfigError, readBridgeConfig } from "./config.ts";
import { BridgeStartError, CrmMisconfigured } from "./errors.ts";
import { createLog } from "./log.ts";
import { shownUrl } from "./shown-url.ts";

/** A stop that hangs must not outlive pm2's patience (`kill_timeout`, 10 s). */
const STOP_DEADLINE_MS = 9_000;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<void> {
  if (existsSync(".env")) process.loadEnvFile(".env");
  const config = readBridgeConfig(process.env);
  const log = createLog(config.logLevel);

  process.on("unhandledRejection", (reason) => {
    log.error({ err: reason }, "process.unhandled_rejection");
    process.exit(1);
  });

  const bridge = await startBridge(config, log);
  if (bridge.newMethodKey !== null)
    say(
      `\nThe key of the bridge's methods, shown only now; keep it safe:\n\n  ${bridge.newMethodKey}\n\n` +
        "Send it as Authorization: token <key>, or as the header X-API-Key.\n",
    );
  log.info({ url: bridge.url, crm: config.crm.kind, hub: shownUrl(config.hub.url) }, "bridge.ready");
  process.send?.("ready"); // pm2's wait_ready

  let isStopping = false;
  const stop = (signal: string): void => {
    if (isStopping) return;
    isStopping = true;
    log.info({ signal }, "bridge.stopping");
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    bridge.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, "bridge.stop_failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
}

/** A person reads what they can mend, and the whole of what is a fault of ours. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isTheirs = [BridgeConfigError, BridgeStartError, CrmMisconfigured].some(
    (kind) => error instanceof kind,
  );
  return isTheirs ? error.message : (error.stack ?? error.message);
}

main().catch((error: unknown) => {
  say(inWords(error));
  process.exit(1);
});
