import { expect, test } from "vitest";
import { readConfig } from "../../hub/config.ts";

test("an empty environment gives the safe defaults", () => {
  expect(readConfig({})).toEqual({
    host: "127.0.0.1",
    port: 3000,
    dataDir: "./data",
    apiKey: null,
    masterKey: null,
    publicUrl: null,
    webhook: null,
    webhookAllowCidrs: [],
    jidForm: "c.us",
    logLevel: "info",
    webSocketUrl: null,
  });
});

test("one error names every problem", () => {
  expect(() =>
    readConfig({
      HUB_PORT: "70000",
      HUB_API_KEY: "short",
      HUB_MASTER_KEY: "abc",
      HUB_JID_FORM: "lid",
      HUB_WEBHOOK_URL: "ftp://crm.example",
      HUB_WEBHOOK_ALLOW_CIDRS: "10.0.0.0/8, 10.0.0.0/99",
    }),
  ).toThrow(
    [
      "Invalid configuration:",
      "✖ use a port number, 0 to 65535\n  → at HUB_PORT",
      "✖ use at least 32 characters\n  → at HUB_API_KEY",
      "✖ use 32 bytes, as 64 hex digits or as base64\n  → at HUB_MASTER_KEY",
      "✖ use an http(s) URL\n  → at HUB_WEBHOOK_URL",
      "✖ use address ranges such as 10.0.0.0/8, separated by commas\n  → at HUB_WEBHOOK_ALLOW_CIDRS",
      "✖ use c.us or s.whatsapp.net\n  → at HUB_JID_FORM",
      "✖ is needed beside HUB_WEBHOOK_URL: nothing is sent unsigned\n  → at HUB_WEBHOOK_SECRET",
    ].join("\n"),
  );
});

test("a value that is set but empty counts as not set", () => {
  expect(readConfig({ HUB_PORT: "", HUB_API_KEY: "" }).port).toBe(3000);
});

test("the public URL loses its trailing slash and must be short enough for receivers", () => {
  expect(readConfig({ HUB_PUBLIC_URL: "https://hub.example/" }).publicUrl).toBe("https://hub.example");
  expect(() => readConfig({ HUB_PUBLIC_URL: `https://${"a".repeat(100)}.example` })).toThrow(
    "at most 100 characters",
  );
});
