/** Three doors to one receiver: each hands over the bytes as they came, and no more of them than may come. */
import { createServer, type RequestListener } from "node:http";
import { connect, type AddressInfo } from "node:net";
import express from "express";
import { describe, expect, onTestFinished, test } from "vitest";
import { expressDoor } from "../../bridge/webhook/express.ts";
import { fetchDoor } from "../../bridge/webhook/fetch.ts";
import { nodeDoor } from "../../bridge/webhook/node.ts";
import { LARGEST_BODY, type Receiver } from "../../bridge/webhook/receive.ts";

type Taken = Parameters<Receiver["receive"]>[0];

function recordingReceiver(): { receiver: Receiver; taken: Taken[] } {
  const taken: Taken[] = [];
  return {
    taken,
    receiver: {
      receive: (request) => {
        taken.push(request);
        return Promise.resolve({
          status: 503,
          headers: { "retry-after": "7" },
          body: { success: false, error: "later" },
        });
      },
      stop: () => Promise.resolve(),
      idle: () => Promise.resolve(),
    },
  };
}

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`; // it listens on a port
}

const wrapped = (answer: object) => ({ message: answer });
/** A way to ask each door, given a receiver. */
type Ask = (init: RequestInit & { duplex?: "half" }) => Promise<Response>;
const doors: [string, (receiver: Receiver) => Promise<Ask>][] = [
  [
    "node:http",
    async (receiver) => {
      const url = await listen(nodeDoor(receiver, { dress: wrapped }));
      return (init) => fetch(url, init);
    },
  ],
  [
    "Express",
    async (receiver) => {
      const app = express();
      app.all("/webhook", expressDoor(receiver, { dress: wrapped }));
      const url = await listen(app);
      return (init) => fetch(url, init);
    },
  ],
  [
    "Request and Response",
    (receiver) => {
      const door = fetchDoor(receiver, { dress: wrapped });
      return Promise.resolve((init) => door(new Request("http://bridge.example/webhook", init)));
    },
  ],
];

describe.each(doors)("the door of %s", (_name, open) => {
  test("hands over bytes and headers, and gives back the answer in its dress", async () => {
    const { receiver, taken } = recordingReceiver();
    const ask = await open(receiver);
    const body = Buffer.from('{ "a":1,\t"ü":"😀" }\r\n');
    const response = await ask({
      method: "POST",
      headers: { "Webhook-Id": "evt_1", "Content-Type": "application/json" },
      body,
    });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("7");
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(await response.json()).toEqual({ message: { success: false, error: "later" } });
    expect(Buffer.from(taken[0]?.body ?? []).equals(body)).toBe(true);
    expect(taken[0]?.headers["webhook-id"]).toBe("evt_1");
  });

  test("takes a body of the largest size, whole", async () => {
    const { receiver, taken } = recordingReceiver();
    const ask = await open(receiver);
    await ask({ method: "POST", body: Buffer.alloc(LARGEST_BODY, "x") });
    expect(taken[0]?.body.length).toBe(LARGEST_BODY);
  });

  test("refuses more than that with 413, announced or not, and asks nobody", async () => {
    const { receiver, taken } = recordingReceiver();
    const ask = await open(receiver);
    const announced = await ask({ method: "POST", body: Buffer.alloc(LARGEST_BODY + 1) });
    expect(announced.status).toBe(413);
    const chunks = new ReadableStream({
      start: (controller) => {
        for (let n = 0; n < 20; n += 1) controller.enqueue(new Uint8Array(64 * 1024));
        controller.close();
      },
    });
    const streamed = await ask({ method: "POST", body: chunks, duplex: "half" });
    expect(streamed.status).toBe(413);
    expect(await streamed.json()).toEqual({ message: { success: false, error: "Payload too large" } });
    expect(taken).toEqual([]);
  });

  test("takes an empty body for what it is, and other methods not at all", async () => {
    const { receiver, taken } = recordingReceiver();
    const ask = await open(receiver);
    await ask({ method: "POST" });
    expect(taken[0]?.body.length).toBe(0);
    const response = await ask({ method: "GET" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    expect(taken).toHaveLength(1);
  });
});

test("Express is told when a parser was there before the door", async () => {
  const { receiver, taken } = recordingReceiver();
  const app = express();
  app.use(express.json());
  app.post("/webhook", expressDoor(receiver));
  const url = await listen(app);
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: "{}" });
  expect(response.status).toBe(500);
  expect(await response.text()).toContain("before the body parsers");
  expect(taken).toEqual([]);
});

test("a sender that goes away in mid-body leaves nothing behind", async () => {
  const { receiver, taken } = recordingReceiver();
  const url = new URL(await listen(nodeDoor(receiver)));
  await new Promise<void>((resolve) => {
    const socket = connect(Number(url.port), "127.0.0.1", () => {
      socket.write("POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", () => {
        socket.destroy();
      });
    });
    socket.once("close", () => resolve());
  });
  const alive = await fetch(url, { method: "POST", body: "{}" });
  expect(alive.status).toBe(503);
  expect(taken).toHaveLength(1);
});
