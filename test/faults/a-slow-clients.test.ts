/** A3: clients that drip their headers: cut after ten seconds, while everybody else is served as if they were not there. */
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { openHttpRig } from "../support/http-rig.ts";
import { until } from "../support/until.ts";

/** The 99th percentile of so many calls, one after the other. */
async function slowest(count: number, call: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) times.push(await call());
  return times.sort((a, b) => a - b)[Math.floor(count * 0.99)] ?? 0;
}

test("A3: five hundred dripping clients are cut at ten seconds and hold nobody up", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  const status = async (): Promise<number> => {
    const asked = performance.now();
    expect((await rig.get("/api/sessions/s1/status")).status).toBe(200);
    return performance.now() - asked;
  };
  const undisturbed = await slowest(200, status);
  let closed = 0;
  const drips: Socket[] = Array.from({ length: 500 }, () => {
    const socket = connect(rig.server.port, "127.0.0.1");
    socket.on("error", () => undefined); // being cut off is what is waited for
    socket.on("close", () => closed++);
    socket.on("data", () => undefined);
    socket.write("GET /health HTTP/1.1\r\nHost: hub\r\n");
    return socket;
  });
  const start = performance.now();
  const dripping = setInterval(() => {
    for (const socket of drips) if (socket.writable) socket.write("X-A: 1\r\n");
  }, 1_000);
  let disturbed: number;
  try {
    disturbed = await slowest(200, status);
    await until("all drips were cut", () => closed === drips.length, { timeoutMs: 25_000 });
  } finally {
    clearInterval(dripping);
    for (const socket of drips) socket.destroy();
  }
  const seconds = (performance.now() - start) / 1000;
  expect(seconds).toBeGreaterThan(9);
  expect(seconds).toBeLessThan(20);
  // Beside the same calls without drips: on a busy machine those are slow as well.
  expect(disturbed).toBeLessThan(Math.max(200, 4 * undisturbed));
}, 60_000);
