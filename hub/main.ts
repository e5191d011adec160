/** The process: environment → configuration → hub → ready → wait for a signal → stop. The only reader of the environment. */
import cluster from "node:cluster";
import { existsSync } from "node:fs";
import { ConfigError, readConfig } from "./config.ts";
import { startHub, type Hub } from "./hub.ts";
import { createLog } from "./log.ts";
import { isBaileysSocketError } from "./whatsapp/socket-error.ts";

/** A stop that hangs must not outlive pm2's patience (`kill_timeout`, 10 s). */
const STOP_DEADLINE_MS = 9_000;
/** "Try again": the process wants to be started anew. */
const RESTART_CODE = 75;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<void> {
  // Accounts are sockets that may exist once: several copies would throw each other out of WhatsApp.
  if (cluster.isWorker)
    throw new ConfigError([
      {
        name: "exec_mode",
        problem: "run the hub in pm2's fork mode, as ecosystem.config.cjs does, never as a cluster",
      },
    ]);
  // Whatever is written here (logins, messages, files) is for this user alone.
  process.umask(0o077);
  if (existsSync(".env")) process.loadEnvFile(".env");
  const config = readConfig(process.env);
  const log = createLog(config.logLevel);

  let hub: Hub | null = null;
  process.on("unhandledRejection", (reason) => {
    // A socket that dies at the wrong moment rejects inside the library where nobody can catch it; all else is a bug.
    if (isBaileysSocketError(reason)) {
      const code = "connection_closed";
      log.warn({ code }, "whatsapp.rejection_ignored");
      hub?.rejectionIgnored(code);
      return;
    }
    log.fatal({ err: reason }, "process.unhandled_rejection");
    process.exit(1);
  });

  let stopping = false;
  // Where nobody starts it again, a process must not end by itself.
  const isSupervised = process.env["pm_id"] !== undefined || process.send !== undefined;
  const started = await startHub(config, log, {
    // At once, as after a kill: whatever is still written goes into a database that is damaged.
    fail: (cause) => {
      say(cause.message);
      process.exit(1);
    },
    ...(isSupervised && { endProcess: () => stop("watchdog", RESTART_CODE) }),
  });
  hub = started;
  if (started.newApiKey !== null)
    say(
      `\nYour API key, shown only now; keep it safe:\n\n  ${started.newApiKey}\n\nSend it as the header X-API-Key.\n`,
    );
  log.info({ url: started.url }, "hub.ready");
  process.send?.("ready"); // pm2's wait_ready

  function stop(signal: string, code = 0): void {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, "hub.stopping");
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    started.stop().then(
      () => process.exit(code),
      (error: unknown) => {
        log.error({ err: error }, "hub.stop_failed");
        process.exit(1);
      },
    );
  }
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
}

main().catch((error: unknown) => {
  say(
    error instanceof ConfigError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error),
  );
  process.exit(1);
});
