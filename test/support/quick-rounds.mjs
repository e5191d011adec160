/**
 * Preloaded into a hub: what it does each minute or hour it does every second, and with SIGUSR2 a quarter of an hour goes by.
 * For what takes its time on purpose, in a process that has no clock of a test.
 */
const AHEAD_MS = 15 * 60_000;
const ROUND_MS = 60_000;
const QUICK_MS = 1_000;

let aheadMs = 0;
process.on("SIGUSR2", () => {
  aheadMs += AHEAD_MS;
});

const now = () => RealDate.now() + aheadMs;
const RealDate = Date;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, called) => Reflect.construct(target, args.length > 0 ? args : [now()], called),
  get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
});

const interval = globalThis.setInterval;
globalThis.setInterval = (work, ms, ...args) => interval(work, ms >= ROUND_MS ? QUICK_MS : ms, ...args);
