/**
 * A hub that ends itself with SIGKILL at the n-th passing of a named place: HUB_CRASH_AT=<point>:<n>. The product's own
 * points are those of `HubOverrides.crashPoint`; `in-record` is inside the transaction that records a message.
 */
import Database from "better-sqlite3";
import type * as ConfigModule from "../../hub/config.ts";
import type * as HubModule from "../../hub/hub.ts";
import type * as LogModule from "../../hub/log.ts";
import type * as SocketErrorModule from "../../hub/whatsapp/socket-error.ts";

/** The message and its event are in, its deliveries are not. */
const IN_RECORD = /^\s*INSERT INTO delivery\(/;

const crashPoint = pointFrom(process.env["HUB_CRASH_AT"] ?? "");

function pointFrom(text: string): (name: string) => void {
  const [point = "", nth = "1"] = text.split(":");
  let left = Number(nth);
  return (name) => {
    // SIGKILL to oneself does not return: nothing after this line runs.
    if (name === point && --left === 0) process.kill(process.pid, "SIGKILL");
  };
}

/** Statements are prepared once, at the start: their `run` is where the transaction can be caught half-way. */
function watchRecords(): void {
  const prototype = Database.prototype as { prepare: (sql: string) => Database.Statement }; // by its own typings
  const { prepare } = prototype;
  prototype.prepare = function (this: Database.Database, sql: string) {
    const statement = prepare.call(this, sql);
    if (!IN_RECORD.test(sql)) return statement;
    const run = statement.run.bind(statement);
    statement.run = (...parameters: unknown[]) => {
      crashPoint("in-record");
      return run(...parameters);
    };
    return statement;
  };
}

/** What is killed here is what ships. */
const built = (file: string): string => new URL(`../../dist/hub/${file}.js`, import.meta.url).href;

watchRecords();
// Their types are those of the sources they were compiled from.
const { startHub } = (await import(built("hub"))) as typeof HubModule;
const { readConfig } = (await import(built("config"))) as typeof ConfigModule;
const { createLog } = (await import(built("log"))) as typeof LogModule;
const { isBaileysSocketError } = (await import(built("whatsapp/socket-error"))) as typeof SocketErrorModule;

process.on("unhandledRejection", (reason) => {
  if (isBaileysSocketError(reason)) return;
  console.error(reason);
  process.exit(1);
});
const config = readConfig(process.env);
const log = createLog(config.logLevel);
const hub = await startHub(config, log, { crashPoint });
log.info({ url: hub.url }, "hub.ready");
