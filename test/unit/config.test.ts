import { expect, test } from "vitest";
import { readConfig } from "../../hub/config.ts";

test("an empty environment gives the safe defaults", () => {
  expect(readConfig({})).toEqual({
    host: "127.0.0.1",
    port: 3000,
    dataDir: "./data",
    apiKey: null,
    masterKey: null,
    masterKeyPrevious: null,
    masterKeyFile: null,
    publicUrl: null,
    webhook: null,
    webhookAllowCidrs: [],
    jidForm: "c.us",
    retentionDays: null,
    logLevel: "info",
    sends: {
      enabled: true,
      perMinute: 20,
      burst: 5,
      chatGapMs: 1000,
      newChatsPerDay: 30,
      queue: 1000,
    },
    watchdogRestart: true,
    alerts: { after: 5, mail: null, quiet: null },
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

test("e-mails need a server and somebody to get them; the first of these is the sender where none is named", () => {
  const mail = {
    HUB_SMTP_URL: "smtp://mail.example:587",
    HUB_ALERT_EMAIL: "ops@example.com, boss@example.com",
  };
  expect(readConfig({ ...mail, HUB_ALERT_QUIET: "22:00-07:00", HUB_ALERT_AFTER: "3" }).alerts).toEqual({
    after: 3,
    mail: {
      url: "smtp://mail.example:587",
      to: ["ops@example.com", "boss@example.com"],
      from: "ops@example.com",
    },
    quiet: "22:00-07:00",
  });
  expect(() => readConfig({ HUB_SMTP_URL: "smtp://mail.example" })).toThrow("at HUB_ALERT_EMAIL");
  expect(() => readConfig({ HUB_ALERT_EMAIL: "ops@example.com" })).toThrow("at HUB_SMTP_URL");
  expect(() => readConfig({ ...mail, HUB_ALERT_EMAIL: "nobody" })).toThrow("use e-mail addresses");
  expect(() => readConfig({ HUB_ALERT_QUIET: "22-7" })).toThrow("use hours as 22:00-07:00");
  expect(() => readConfig({ HUB_WATCHDOG_RESTART: "maybe" })).toThrow("use on or off");
});

test("a master key comes from one place alone, and the one before may stand beside it", () => {
  const key = "ab".repeat(32);
  expect(() => readConfig({ HUB_MASTER_KEY: key, HUB_MASTER_KEY_FILE: "/run/secrets/key" })).toThrow(
    /not both/,
  );
  expect(readConfig({ HUB_MASTER_KEY: key, HUB_MASTER_KEY_PREVIOUS: "cd".repeat(32) })).toMatchObject({
    masterKey: key,
    masterKeyPrevious: "cd".repeat(32),
    masterKeyFile: null,
  });
});
