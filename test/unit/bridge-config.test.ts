import { describe, expect, test } from "vitest";
import { readBridgeConfig } from "../../bridge/config.ts";

const SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const needed = { BRIDGE_HUB_API_KEY: "ihk_key", BRIDGE_WEBHOOK_SECRET: SECRET };

test("only the hub's key and the webhook secret are needed; the rest has safe defaults", () => {
  expect(readBridgeConfig(needed)).toEqual({
    host: "127.0.0.1",
    port: 3001,
    dataDir: "./bridge-data",
    publicUrl: null,
    hub: { url: "http://127.0.0.1:3000", apiKey: "ihk_key" },
    webhook: { secrets: [SECRET], acceptLegacy: false },
    app: "xappiens_whatsapp",
    crm: { kind: "sqlite", file: "bridge-data/crm.db" },
    sendTtlMs: 86_100_000,
    sync: {
      onConnect: true,
      limits: { contacts: 1000, chats: 100, messagesPerChat: 50, messageChats: 20, timeoutMs: 600_000 },
    },
    autoSync: "0 * * * *",
    reconcile: "*/5 * * * *",
    directory: { wispro: null, json: null, hour: 3, country: "58" },
    methodKeys: [],
    logLevel: "info",
  });
});

test("one error names every problem", () => {
  expect(() =>
    readBridgeConfig({
      BRIDGE_PORT: "70000",
      BRIDGE_WEBHOOK_SECRET: "short",
      BRIDGE_HUB_URL: "ftp://hub.example",
      BRIDGE_CRM: "frappe",
      BRIDGE_AUTO_SYNC: "hourly",
      BRIDGE_METHOD_KEYS: "admin:short",
      BRIDGE_SYNC_ON_CONNECT: "perhaps",
      BRIDGE_SYNC_TIMEOUT_S: "0",
      FRAPPE_TIME_ZONE: "Mars/Olympus",
      CRM_MAP: "[]",
      WISPRO_URL: "https://directory.example",
    }),
  ).toThrow(
    [
      "Invalid configuration:",
      "✖ use a port number, 0 to 65535\n  → at BRIDGE_PORT",
      "✖ use an http(s) URL\n  → at BRIDGE_HUB_URL",
      "✖ is needed: the key with which the bridge reads the hub\n  → at BRIDGE_HUB_API_KEY",
      "✖ use 16 to 140 characters\n  → at BRIDGE_WEBHOOK_SECRET",
      "✖ use the name of a time zone, such as Europe/Madrid\n  → at FRAPPE_TIME_ZONE",
      "✖ use a JSON object\n  → at CRM_MAP",
      "✖ use 1 or 0\n  → at BRIDGE_SYNC_ON_CONNECT",
      "✖ use a whole number, 1 to 86400\n  → at BRIDGE_SYNC_TIMEOUT_S",
      '✖ use five fields of cron, such as "0 * * * *", or off\n  → at BRIDGE_AUTO_SYNC',
      "✖ use key:secret or key:secret:read, separated by commas; secrets have 16 and more letters, digits, _ and -\n  → at BRIDGE_METHOD_KEYS",
      "✖ is needed beside BRIDGE_CRM=frappe\n  → at FRAPPE_URL",
      "✖ is needed beside BRIDGE_CRM=frappe\n  → at FRAPPE_API_KEY",
      "✖ is needed beside BRIDGE_CRM=frappe\n  → at FRAPPE_API_SECRET",
      "✖ is needed beside WISPRO_URL\n  → at WISPRO_TOKEN",
    ].join("\n"),
  );
});

test.each([
  [{ fields: { contact: { fone: "telefono" } } }, /has no member fone\n {2}→ at CRM_MAP\.fields\.contact$/],
  [{ fields: { status: { fromMe: "x" } } }, /has no member fromMe\n {2}→ at CRM_MAP\.fields\.status$/],
  [{ fields: { status: { participant: "x" } } }, /has no member participant\n/],
  [{ fields: { people: {} } }, /has no member people\n {2}→ at CRM_MAP\.fields$/],
  [{ pathes: {} }, /has no member pathes\n {2}→ at CRM_MAP$/],
  [{ paths: { contacts: "no slash" } }, /begin with a slash\n {2}→ at CRM_MAP\.paths\.contacts$/],
  [
    { fields: { message: { content: "" } } },
    /use a name, or null\n {2}→ at CRM_MAP\.fields\.message\.content$/,
  ],
])("a map of a CRM with a mistake in it names the place: %j", (map, problem) => {
  const given = {
    ...needed,
    BRIDGE_CRM: "http",
    CRM_URL: "http://crm.example",
    CRM_MAP: JSON.stringify(map),
  };
  expect(() => readBridgeConfig(given)).toThrow(problem);
});

test("two secrets are accepted during a rotation, three are not", () => {
  const other = "another-secret-of-the-hub";
  const { webhook } = readBridgeConfig({ ...needed, BRIDGE_WEBHOOK_SECRET: `${SECRET}, ${other}` });
  expect(webhook.secrets).toEqual([SECRET, other]);
  expect(() =>
    readBridgeConfig({ ...needed, BRIDGE_WEBHOOK_SECRET: `${SECRET},${other},third-secret-of-the-hub` }),
  ).toThrow("use one secret, or two separated by a comma");
});

test("a bridge that listens everywhere is told where the hub finds it", () => {
  for (const host of ["0.0.0.0", "::"]) {
    expect(() => readBridgeConfig({ ...needed, BRIDGE_HOST: host })).toThrow(
      `is needed beside BRIDGE_HOST=${host}\n  → at BRIDGE_PUBLIC_URL`,
    );
    const found = { BRIDGE_HOST: host, BRIDGE_PUBLIC_URL: "http://10.0.0.5:3001" };
    expect(readBridgeConfig({ ...needed, ...found }).host).toBe(host);
  }
});

test("the address where the hub finds it has no user name or password: the hub calls no such one", () => {
  for (const login of ["ana:hunter22", "ana", ":hunter22"]) {
    const found = { BRIDGE_PUBLIC_URL: `https://${login}@crm.example` };
    expect(() => readBridgeConfig({ ...needed, ...found })).toThrow(
      /^Invalid configuration:\n✖ leave out user name and password\n {2}→ at BRIDGE_PUBLIC_URL$/,
    );
  }
});

test("an IPv6 address may be written as in a URL", () => {
  const found = { BRIDGE_PUBLIC_URL: "http://[fd00::5]:3001" };
  for (const [host, bare] of [
    ["[::1]", "::1"],
    ["[::]", "::"],
    ["::1", "::1"],
  ] as const)
    expect(readBridgeConfig({ ...needed, ...found, BRIDGE_HOST: host }).host).toBe(bare);
  expect(() => readBridgeConfig({ ...needed, BRIDGE_HOST: "[::]" })).toThrow("BRIDGE_PUBLIC_URL");
});

test("method keys have a role, admin unless they may only read, and each name is used once", () => {
  const keys = "crm:0123456789abcdef,monitor:fedcba9876543210:read";
  expect(readBridgeConfig({ ...needed, BRIDGE_METHOD_KEYS: keys }).methodKeys).toEqual([
    { key: "crm", secret: "0123456789abcdef", role: "admin" },
    { key: "monitor", secret: "fedcba9876543210", role: "read" },
  ]);
  expect(() => readBridgeConfig({ ...needed, BRIDGE_METHOD_KEYS: `${keys},crm:0000000000000000` })).toThrow(
    "use every key once",
  );
});

test("scheduled work is switched off by the word off", () => {
  const config = readBridgeConfig({ ...needed, BRIDGE_AUTO_SYNC: "off", BRIDGE_RECONCILE: "off" });
  expect([config.autoSync, config.reconcile]).toEqual([null, null]);
});

test("the daily pass over the directory has an hour, or is switched off", () => {
  const hourOf = (WISPRO_HOUR: string) => readBridgeConfig({ ...needed, WISPRO_HOUR }).directory.hour;
  expect(["0", "07", "23", "off"].map(hourOf)).toEqual([0, 7, 23, null]);
  for (const wrong of ["24", "-1", "3.5", "never"])
    expect(() => hourOf(wrong)).toThrow("✖ use an hour, 0 to 23, or off\n  → at WISPRO_HOUR");
});

describe("a directory that answers pages of JSON", () => {
  const described = {
    url: "https://billing.example/people?page={page}",
    list: "data",
    totalRecords: "total",
    fields: { externalId: "id", name: "name", nationalId: "document" },
  };
  const read = (source: object, more: object = {}) =>
    readBridgeConfig({ ...needed, DIRECTORY_SOURCE: JSON.stringify(source), ...more });

  test("is described by one setting, with defaults for what may be left out", () => {
    expect(read(described).directory.json).toMatchObject({ ...described, name: "json", perPage: 100 });
  });

  test("is refused with the place of each mistake, before anything is opened", () => {
    const wrong = {
      ...{ ...described, url: "ftp://x", list: "a..b", perpage: 3, fields: { name: "name" } },
      ...{ name: "Billing One", perPage: 0, timeoutMs: "soon", headers: [], totalPages: 4 },
    };
    for (const line of [
      "→ at DIRECTORY_SOURCE.url",
      "✖ use names joined by dots, such as meta.total\n  → at DIRECTORY_SOURCE.list",
      "✖ has no member perpage\n  → at DIRECTORY_SOURCE",
      "✖ is needed\n  → at DIRECTORY_SOURCE.fields.externalId",
      "✖ use 1 to 40 lower-case letters, digits, _ and -\n  → at DIRECTORY_SOURCE.name",
      "✖ use 1 at least\n  → at DIRECTORY_SOURCE.perPage",
      "✖ use a number\n  → at DIRECTORY_SOURCE.timeoutMs",
      "✖ use an object in braces\n  → at DIRECTORY_SOURCE.headers",
      "✖ use a text in quotes\n  → at DIRECTORY_SOURCE.totalPages",
    ])
      expect(() => read(wrong)).toThrow(line);
  });

  test("is refused beside Wispro", () => {
    const wispro = { WISPRO_URL: "https://directory.example", WISPRO_TOKEN: "token" };
    expect(() => read(described, wispro)).toThrow(
      "✖ leave it out beside WISPRO_URL\n  → at DIRECTORY_SOURCE",
    );
  });
});
