/** One request of the bridge and its whole answer, over a real connection. */
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createHubExchange, NoAnswer } from "../../bridge/hub-exchange.ts";

const ASKED = { method: "GET", path: "/api/sessions?limit=2", headers: { "x-api-key": "k" } } as const;

async function served(answer: RequestListener): Promise<{ host: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests }; // it listens on a port
}

function exchangeWith(url: string) {
  const exchange = createHubExchange(url);
  onTestFinished(() => exchange.close());
  return exchange;
}

test("a hub may lie below a path, behind a proxy that wants a login", async () => {
  const { host, requests } = await served((_request, response) => {
    response.writeHead(429, { "retry-after": "7" }).end("later");
  });
  const answer = await exchangeWith(`http://front%40desk:50%@${host}/inbox/`).send({
    ...ASKED,
    timeoutMs: 5000,
  });
  expect(answer).toEqual({ status: 429, retryAfter: "7", body: Buffer.from("later") });
  expect(requests[0]?.url).toBe("/inbox/api/sessions?limit=2");
  const login = Buffer.from("front@desk:50%").toString("base64");
  expect(requests[0]?.headers).toMatchObject({ authorization: `Basic ${login}`, "x-api-key": "k" });
});

test("an answer that comes drop by drop is not listened to for ever", async () => {
  let isHungUp = false;
  const { host } = await served((_request, response) => {
    const drops = setInterval(() => response.write(" "), 20);
    response.on("close", () => {
      clearInterval(drops);
      isHungUp = true;
    });
  });
  const exchange = exchangeWith(`http://${host}`);
  await expect(exchange.send({ ...ASKED, timeoutMs: 300 })).rejects.toEqual(new NoAnswer("ETIMEDOUT"));
  await expect.poll(() => isHungUp, { timeout: 10_000 }).toBe(true);
});

test("what waits for a connection is given up in time as well", async () => {
  const { host } = await served(() => undefined);
  const exchange = exchangeWith(`http://${host}`);
  // More than it has connections.
  const asked = Array.from({ length: 20 }, () => exchange.send({ ...ASKED, timeoutMs: 400 }));
  for (const one of await Promise.allSettled(asked))
    expect(one).toMatchObject({ status: "rejected", reason: new NoAnswer("ETIMEDOUT") });
});

test("what is under way when it is closed is answered to nobody", async () => {
  const { host, requests } = await served(() => undefined);
  const exchange = exchangeWith(`http://${host}`);
  const asked = exchange.send({ ...ASKED, timeoutMs: 60_000 });
  await expect.poll(() => requests.length, { timeout: 10_000 }).toBe(1);
  exchange.close();
  await expect(asked).rejects.toBeInstanceOf(NoAnswer);
});
