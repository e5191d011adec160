/**
 * A bridge that ends itself with SIGKILL at the n-th passing of a named place: BRIDGE_CRASH_AT=<point>:<n>; without it, never.
 * It does not read the hub's events every five minutes: what it missed has to come to it, or waits for its next start.
 *
 * before-write  the adapter is about to be handed messages
 * in-write      the CRM's transaction holds them and is not committed
 * after-write   the adapter answered, whoever waits for it is not told yet
 * step          before and after anything it asks of hub, CRM or its own memory
 *
 * Plain JavaScript over the built product: it is started dozens of times, and compiling would double what a start costs.
 */
import Database from "better-sqlite3";
import { openAdapter } from "../../dist/bridge/adapters/index.js";
import { startBridge } from "../../dist/bridge/bridge.js";
import { readBridgeConfig } from "../../dist/bridge/config.js";
import { createHubClient } from "../../dist/bridge/hub-client-http.js";
import { createLog } from "../../dist/bridge/log.js";
import { openLowdbState } from "../../dist/bridge/state/lowdb-state.js";

const [point, nth] = (process.env.BRIDGE_CRASH_AT ?? "").split(":");
let left = Number(nth);

function crashPoint(name) {
  // SIGKILL to oneself does not return: nothing after this line runs.
  if (name === point && --left === 0) process.kill(process.pid, "SIGKILL");
}

/** Statements are prepared once, at the start: their `run` is where the transaction can be caught half-way. */
const { prepare } = Database.prototype;
Database.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql);
  if (sql !== "COMMIT") return statement;
  const run = statement.run.bind(statement);
  statement.run = () => {
    crashPoint("in-write");
    return run();
  };
  return statement;
};

const WRITES = new Set(["upsertMessages", "changeMessages"]);

/** Every call of `target` that answers a promise is a step, before and after. */
const stepping = (target) =>
  new Proxy(target, {
    get: (object, key) => {
      const member = Reflect.get(object, key);
      if (typeof member !== "function" || key === "read") return member;
      return async (...args) => {
        crashPoint("step");
        if (WRITES.has(key)) crashPoint("before-write");
        const answer = await Reflect.apply(member, object, args);
        if (WRITES.has(key)) crashPoint("after-write");
        crashPoint("step");
        return answer;
      };
    },
  });

const config = readBridgeConfig(process.env);
const log = createLog(config.logLevel);
const clock = { now: () => new Date() };
const parts = { clock, log };
const bridge = await startBridge(config, log, {
  adapter: stepping(await openAdapter(config.crm, parts)),
  hub: stepping(createHubClient({ ...config.hub, userAgent: "InboxHubBridge/crashing", log })),
  state: stepping(await openLowdbState({ dir: config.dataDir, ...parts })),
  keepUp: "0 0 29 2 *",
});
log.info({ url: bridge.url }, "bridge.ready");
