/** Where a hub is reached: by this machine, and by others. */
import { expect, test } from "vitest";
import { ownUrl, publicUrlOf } from "../../hub/http/own-url.ts";
import type { Log } from "../../hub/core/log.ts";

test.each([
  ["127.0.0.1", "http://127.0.0.1:3000"],
  ["hub.internal", "http://hub.internal:3000"],
  ["::1", "http://[::1]:3000"],
  ["0.0.0.0", "http://127.0.0.1:3000"],
  ["0", "http://127.0.0.1:3000"],
  ["::", "http://[::1]:3000"],
  ["0:0:0:0:0:0:0:0", "http://[::1]:3000"],
])("a server on %s is reached from its own machine at %s", (host, url) => {
  expect(ownUrl(host, 3000)).toBe(url);
});

/** What is used, and what the log is told. */
function chosen(configured: string | null, host: string) {
  const warnings: unknown[] = [];
  const nothing = (): void => undefined;
  const log: Log = {
    ...{ debug: nothing, info: nothing, error: nothing },
    warn: (facts: unknown, event: unknown) => void warnings.push([event, facts]),
  };
  return { url: publicUrlOf({ configured, host, own: ownUrl(host, 3000), log }), warnings };
}

test("URLs for others begin as the operator says; on all addresses without a word of his the log tells what to set", () => {
  expect(chosen("https://hub.example", "0.0.0.0")).toEqual({ url: "https://hub.example", warnings: [] });
  expect(chosen(null, "127.0.0.1")).toEqual({ url: "http://127.0.0.1:3000", warnings: [] });
  const { url, warnings } = chosen(null, "0.0.0.0");
  expect([url, warnings]).toEqual([
    "http://127.0.0.1:3000",
    [
      [
        "config.public_url_missing",
        { publicUrl: url, advice: expect.stringContaining("Set HUB_PUBLIC_URL.") as string },
      ],
    ],
  ]);
});
