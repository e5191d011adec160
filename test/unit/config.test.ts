import { describe, expect, test } from "vitest";
import { inSettingNames, readConfig } from "../../hub/config.ts";
import { HubError } from "../../hub/core/errors.ts";

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
    trustedProxies: [],
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
    pictures: true,
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

describe("what another part would refuse later is refused at the start, by the name of its setting", () => {
  const webhook = { HUB_WEBHOOK_URL: "https://crm.example/hook", HUB_WEBHOOK_SECRET: "0123456789abcdef" };
  const key = "ab".repeat(32);

  test.each([
    [{ ...webhook, HUB_WEBHOOK_SECRET: "short" }, "HUB_WEBHOOK_SECRET", "use 16 to 140 characters"],
    [{ ...webhook, HUB_WEBHOOK_SECRET: "x".repeat(141) }, "HUB_WEBHOOK_SECRET", "use 16 to 140 characters"],
    [
      { ...webhook, HUB_WEBHOOK_SECRET: "whsec_not-base64!" },
      "HUB_WEBHOOK_SECRET",
      "after whsec_, use padded base64",
    ],
    [
      { ...webhook, HUB_WEBHOOK_URL: "https://ana:secret@crm.example/hook" },
      "HUB_WEBHOOK_URL",
      "leave out user name and password",
    ],
    [
      { ...webhook, HUB_WEBHOOK_URL: "https://crm.example/#hook" },
      "HUB_WEBHOOK_URL",
      "leave out the fragment",
    ],
    [
      { ...webhook, HUB_WEBHOOK_URL: "http://169.254.169.254/latest" },
      "HUB_WEBHOOK_URL",
      "leads to 169.254.169.254, which must not be called",
    ],
    [
      { ...webhook, HUB_WEBHOOK_URL: `https://crm.example/${"x".repeat(2048)}` },
      "HUB_WEBHOOK_URL",
      "use at most 2048 characters",
    ],
    [{ ...webhook, HUB_WEBHOOK_URL: "crm.example" }, "HUB_WEBHOOK_URL", "use an http(s) URL"],
    [{ HUB_MASTER_KEY: `${key.slice(1)}!` }, "HUB_MASTER_KEY", "use 32 bytes, as 64 hex digits or as base64"],
    [
      { HUB_MASTER_KEY: Buffer.from(key, "hex").toString("base64").replace("q", "q ") },
      "HUB_MASTER_KEY",
      "use 32 bytes, as 64 hex digits or as base64",
    ],
    [
      { HUB_MASTER_KEY: key, HUB_MASTER_KEY_PREVIOUS: `${key}==` },
      "HUB_MASTER_KEY_PREVIOUS",
      "use 32 bytes, as 64 hex digits or as base64",
    ],
    [
      { HUB_PUBLIC_URL: "https://hub.example/?from=crm" },
      "HUB_PUBLIC_URL",
      "leave out everything from ? or # on",
    ],
    [{ HUB_PUBLIC_URL: "https://hub.example/#" }, "HUB_PUBLIC_URL", "leave out everything from ? or # on"],
    [{ HUB_PUBLIC_URL: "https://ana@hub.example" }, "HUB_PUBLIC_URL", "leave out user name and password"],
    [
      { HUB_HOST: "http://127.0.0.1" },
      "HUB_HOST",
      "use an IP address or the name of a host, such as 127.0.0.1",
    ],
    [{ HUB_HOST: "[::1]" }, "HUB_HOST", "use an IP address or the name of a host, such as 127.0.0.1"],
    [
      { HUB_API_KEY: `${"k".repeat(40)} ñ` },
      "HUB_API_KEY",
      "use letters, digits and signs of ASCII, without spaces",
    ],
    [
      { HUB_TRUSTED_PROXIES: "127.0.0.1" },
      "HUB_TRUSTED_PROXIES",
      "use address ranges such as 10.0.0.0/8, separated by commas",
    ],
    [
      { HUB_WEBHOOK_ALLOW_CIDRS: "fe80::1%eth0/64" },
      "HUB_WEBHOOK_ALLOW_CIDRS",
      "use address ranges such as 10.0.0.0/8, separated by commas",
    ],
  ])("%o", (env, name, problem) => {
    expect(() => readConfig(env)).toThrow(`Invalid configuration:\n✖ ${problem}\n  → at ${name}`);
  });

  test("and what they take is taken", () => {
    expect(readConfig({ HUB_TRUSTED_PROXIES: "127.0.0.1/32, ::1/128" }).trustedProxies).toEqual([
      "127.0.0.1/32",
      "::1/128",
    ]);
    const { masterKey } = readConfig({ HUB_MASTER_KEY: Buffer.from(key, "hex").toString("base64url") });
    expect(masterKey).not.toBeNull();
    // The operator's own address may be private, and http.
    for (const url of ["http://10.0.0.7:8000/hook", "http://localhost/hook", "https://[::1]/hook"])
      expect(readConfig({ ...webhook, HUB_WEBHOOK_URL: url }).webhook).toMatchObject({ url });
    for (const host of ["::1", "0.0.0.0", "localhost", "hub-1.internal"])
      expect(readConfig({ HUB_HOST: host }).host).toBe(host);
    expect(readConfig({ HUB_PUBLIC_URL: "https://Hub.example/inbox/" }).publicUrl).toBe(
      "https://hub.example/inbox",
    );
  });

  test("and what shows only later, because a name leads there, is told by that name as well", () => {
    const details = {
      fields: [{ path: "url", problem: "leads to 169.254.169.254, which must not be called" }],
    };
    const refusal = new HubError("VALIDATION_ERROR", "…", { details });
    expect(() => inSettingNames(refusal)).toThrow(
      "Invalid configuration:\n✖ leads to 169.254.169.254, which must not be called\n  → at HUB_WEBHOOK_URL",
    );
    const other = new Error("something else");
    expect(() => inSettingNames(other)).toThrow(other);
  });
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
