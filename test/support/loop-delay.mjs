/** Preloaded into a process whose event loop is measured: prints how late its timers were, in milliseconds, when asked by SIGUSR2. */
import { performance } from "node:perf_hooks";
import { setInterval } from "node:timers";

const EVERY_MS = 10;
let late = [];
let due = performance.now() + EVERY_MS;
setInterval(() => {
  const now = performance.now();
  late.push(Math.max(0, now - due));
  due = now + EVERY_MS;
}, EVERY_MS).unref();

process.on("SIGUSR2", () => {
  const sorted = late.sort((a, b) => a - b);
  late = [];
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  console.log(
    JSON.stringify({ loopDelay: { looks: sorted.length, p50: at(0.5), p99: at(0.99), worst: at(1) } }),
  );
});
