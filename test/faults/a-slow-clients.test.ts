/** A3: clients that drip their headers: cut after ten seconds, while everybody else is served as if they were not there. */
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { openHttpRig } from "../support/http-rig.ts";
import { until } from "../support/until.ts";

test("A3: five hundred dripping clients are cut at ten seconds and hold nobody up", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
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
  const times: number[] = [];
  try {
    for (let n = 0; n < 200; n++) {
      const asked = performance.now();
      expect((await rig.get("/api/sessions/s1/status")).status).toBe(200);
      times.push(performance.now() - asked);
    }
    await until("all drips were cut", () => closed === drips.length, { timeoutMs: 25_000 });
  } finally {
    clearInterval(dripping);
    for (const socket of drips) socket.destroy();
  }
  const seconds = (performance.now() - start) / 1000;
  expect(seconds).toBeGreaterThan(9);
  expect(seconds).toBeLessThan(20);
  times.sort((a, b) => a - b);
  expect(times[Math.floor(times.length * 0.99)]).toBeLessThan(200);
}, 60_000);
