/**
 * pm2: the hub, and the bridge where one is configured. Exactly one process each: the hub holds sockets that may exist once, and
 * its data folder admits one. `npm run pm2:start` uses this file.
 */
const { existsSync } = require("node:fs");
const { homedir } = require("node:os");
const { join } = require("node:path");

const root = __dirname;
if (existsSync(join(root, ".env"))) process.loadEnvFile(join(root, ".env"));

const logs = join(process.env.PM2_HOME || join(homedir(), ".pm2"), "logs");

/** Nothing needs `__proto__`, and hostile JSON could reach through it what all objects share. */
const NODE = "--disable-proto=delete --enable-source-maps";

const app = (name, script, more) => ({
  name,
  script: join(root, script),
  cwd: root,
  exec_mode: "fork",
  instances: 1,
  node_args: NODE,
  // The process says itself when it is ready, so that `pm2 reload` and `pm2 start` do not answer too early.
  wait_ready: true,
  listen_timeout: 30_000,
  // Deliveries under way may finish and the store is closed in order; pm2's own 1.6 s would cut that off.
  kill_timeout: 10_000,
  // A failing start is tried again, ever more slowly, up to 15 s.
  exp_backoff_restart_delay: 200,
  // The processes write JSON lines with their own times.
  time: false,
  merge_logs: true,
  // Where pm2-logrotate looks as well. Not in the data folder: that one is copied and moved, and is the hub's alone.
  out_file: join(logs, `${name}-out.log`),
  error_file: join(logs, `${name}-error.log`),
  ...more,
});

const bridge = app("inbox-bridge", "dist/bridge/main.js", {
  // It lives beside a CRM, which needs the memory more: what is new is collected early.
  node_args: `${NODE} --max-semi-space-size=4`,
  max_memory_restart: "500M",
});
const hasBridge = Boolean(process.env.BRIDGE_HUB_API_KEY);

module.exports = {
  apps: [
    app("inbox-hub", "dist/hub/main.js", { max_memory_restart: "1500M" }),
    ...(hasBridge ? [bridge] : []),
  ],
};
