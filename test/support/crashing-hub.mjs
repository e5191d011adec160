/**
 * A hub that ends itself with SIGKILL at the n-th passing of a named place: HUB_CRASH_AT=<point>:<n>. The product's own
 * points are those of `HubOverrides.crashPoint`; those of IN_TRANSACTIONS are inside a transaction of the store. Plain
 * JavaScript over the built product: it is started hundreds of times, and compiling would double what a start costs.
 */
import Database from "better-sqlite3";
import { readConfig } from "../../dist/hub/config.js";
import { startHub } from "../../dist/hub/hub.js";
import { createLog } from "../../dist/hub/log.js";
import { isBaileysSocketError } from "../../dist/hub/whatsapp/socket-error.js";

/** Points inside a transaction, by the statement that is about to run. */
const IN_TRANSACTIONS = [
  // The message and its event are in, its deliveries are not.
  ["in-record", /^\s*INSERT INTO delivery\(/],
  // Some deliveries of the slice are due again, and nothing is noted of it.
  ["in-replay", /^\s*UPDATE delivery SET state = 0, aside = 0/],
  // Some of the keys of a login are written, others are not.
  ["in-keys", /^\s*INSERT INTO auth_key\(/],
  ["in-creds", /^\s*INSERT INTO auth_creds\(/],
];

const [point, nth] = (process.env.HUB_CRASH_AT ?? "").split(":");
let left = Number(nth);

function crashPoint(name) {
  // SIGKILL to oneself does not return: nothing after this line runs.
  if (name === point && --left === 0) process.kill(process.pid, "SIGKILL");
}

/** Statements are prepared once, at the start: their `run` is where the transaction can be caught half-way. */
const { prepare } = Database.prototype;
Database.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql);
  const [name] = IN_TRANSACTIONS.find(([, pattern]) => pattern.test(sql)) ?? [];
  if (name === undefined) return statement;
  const run = statement.run.bind(statement);
  statement.run = (...parameters) => {
    crashPoint(name);
    return run(...parameters);
  };
  return statement;
};

process.on("unhandledRejection", (reason) => {
  if (isBaileysSocketError(reason)) return;
  console.error(reason);
  process.exit(1);
});

const config = readConfig(process.env);
const log = createLog(config.logLevel);
const hub = await startHub(config, log, { crashPoint });
log.info({ url: hub.url }, "hub.ready");
