/** How far the bridge is behind, as operators and monitors are told: what is not applied, and why nobody can say. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createFeedLag } from "../../bridge/feed-lag.ts";
import { createHubClient } from "../../bridge/hub-client-http.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import { openFeed, range } from "../support/feed-rig.ts";
import { fixedClock, seconds } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";
import { freePort } from "../support/product-process.ts";

/** Asks anew each time. */
async function aReader(...given: Parameters<typeof openFeed>) {
  const rig = await openFeed(...given);
  const clock = fixedClock();
  const feedLag = createFeedLag({ hub: rig.hub, state: rig.state, applied: () => rig.feed.reached(), clock });
  const lag = async (): Promise<number | null> => {
    clock.advance(seconds(3));
    return (await feedLag()).lag;
  };
  return { ...rig, lag, feedLag };
}

describe("what is behind", () => {
  test("is nothing where webhooks told all, though the feed was not read since", async () => {
    const { pushed, lag, feedLag } = await aReader({ events: 20, mark: 10 });
    expect(await lag()).toBe(10);
    for (const seq of range(11, 20)) pushed(seq);
    expect(await lag()).toBe(0);
    expect(await feedLag()).toMatchObject({ mark: 10, hubSeq: 20 });
  });

  test("is what webhooks leapt over, and what is newer than all of them", async () => {
    const { pushed, lag, feed } = await aReader({ events: 20, mark: 10, holeMs: 60_000 });
    for (const seq of [11, 12, 15, 18]) pushed(seq);
    expect(await lag()).toBe(2 + 2 + 2);
    await feed.read();
    expect(await lag()).toBe(0);
  });

  test("is everything before the first reading, whatever was pushed meanwhile", async () => {
    const { pushed, lag } = await aReader({ events: 20, known: false });
    pushed(20);
    expect(await lag()).toBe(20);
  });

  test("is nothing where all that is newer is of sessions that the bridge's key may not see", async () => {
    const { hub, lag } = await aReader({ events: 20, mark: 20 });
    const { events } = hub;
    hub.events = async (query) => ({ ...(await events(query)), latestSeq: 30 });
    expect(await lag()).toBe(0);
  });
});

describe("why the hub cannot be asked", () => {
  const told = async (url: string) => {
    const log = logBook();
    const hub = createHubClient({ url, apiKey: "k", userAgent: "test", log });
    onTestFinished(() => hub.close());
    return createFeedLag({
      hub,
      state: createMemoryState(),
      applied: () => ({ top: 0, missing: 0 }),
      clock: fixedClock(),
    })();
  };
  const aServer = async (answer: RequestListener): Promise<string> => {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    // A listening TCP server has such an address.
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const refusing = (status: number, code: string, headers = {}) =>
    aServer((_request, response) => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify({ success: false, error: "no", code }));
    });

  test("it does not run", async () => {
    const said = await told(`http://127.0.0.1:${await freePort()}`);
    expect(said).toMatchObject({ isReachable: false, lag: null });
    expect(said.problem).toContain("ECONNREFUSED");
    expect(said.advice).toContain("BRIDGE_HUB_URL");
  });

  test("it lets the key ask no more", async () => {
    const said = await told(await refusing(429, "RATE_LIMIT_EXCEEDED", { "retry-after": "30" }));
    expect(said.problem).toBe("The hub refused events: no");
    expect(said.advice).toContain("Wait a minute");
  });

  test("it does not know the key", async () => {
    const said = await told(await refusing(401, "INVALID_API_KEY"));
    expect(said.advice).toContain("BRIDGE_HUB_API_KEY");
  });

  test("something else answers at its address", async () => {
    const url = await aServer((_request, response) => void response.end("<html>hello</html>"));
    expect((await told(url)).advice).toContain("BRIDGE_HUB_URL");
  });
});
