/** Who may import whom, and which folder owns which library. Run by `npm run layers`; a new arrow needs a reason here. */

/** Only `folders` may import `library`. */
const owned = (library, folders) => ({
  name: `owner-of-${library.replace(/[^a-z0-9]+/gi, "-")}`,
  comment: `${library} belongs to ${folders.join(", ")}`,
  severity: "error",
  from: { path: "^(hub|bridge)/", pathNot: folders.map((folder) => `^${folder}`) },
  to: { path: `^node_modules/${library}/` },
});

/** `folder` may import only itself, the folders named, and libraries. */
const ring = (folder, allowed) => ({
  name: `ring-${folder.replaceAll("/", "-")}`,
  comment: `${folder} may import: ${allowed.join(", ") || "nothing of ours"}`,
  severity: "error",
  from: { path: `^${folder}/` },
  to: { path: "^(hub|bridge|test|scripts)/", pathNot: [folder, ...allowed].map((name) => `^${name}/`) },
});

/** A room of the bridge uses the ports at its top level and libraries, never another room: `bridge.ts` connects them. */
const bridgeRoom = (room) => ({
  name: `bridge-room-${room}`,
  comment: `bridge/${room} may import: ports at the top of bridge/, the ports of state/, hub/contract`,
  severity: "error",
  from: { path: `^bridge/${room}/` },
  to: {
    path: "^bridge/",
    pathNot: [
      `^bridge/${room}/`,
      "^bridge/(applied|records|adapter|errors|clock|elapsed|own|lanes|log|hub-client|failed-items|cron|gone-session|national-id|phone-forms|answer-limit|durable-file)\\.ts$",
      "^bridge/state/(bridge-state|outgoing-orders)\\.ts$",
    ],
  },
});

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: { pathNot: "^test/" }, to: { circular: true } },
    {
      name: "no-cycles-at-run-time",
      comment: "in tests, types may name each other",
      severity: "error",
      from: { path: "^test/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-test-code-in-product",
      severity: "error",
      from: { path: "^(hub|bridge)/" },
      to: { path: "^(test|scripts)/" },
    },
    {
      name: "configuration-only-at-the-top",
      comment: "hub.ts hands each part the slice it needs",
      severity: "error",
      from: { path: "^hub/", pathNot: "^hub/(main|hub|safekeeping/data-folder|config|log)\\.ts$" },
      to: { path: "^hub/(main|hub|config|log)\\.ts$" },
    },
    ring("hub/contract", []),
    ring("hub/core", ["hub/contract"]),
    ring("hub/sessions", ["hub/core", "hub/contract"]),
    ring("hub/inbox", ["hub/core", "hub/contract"]),
    ring("hub/outbox", ["hub/core", "hub/contract"]),
    ring("hub/alerts", ["hub/core", "hub/contract"]),
    ring("hub/store", ["hub/core", "hub/contract"]),
    ring("hub/whatsapp", ["hub/core", "hub/contract"]),
    // The surface calls the work folders' services; nothing calls the surface.
    ring("hub/http", ["hub/core", "hub/contract", "hub/sessions", "hub/inbox", "hub/outbox"]),
    {
      name: "bridge-knows-only-the-contract",
      comment:
        "the bridge is a light package of its own: of the hub it may take the contract and nothing else",
      severity: "error",
      from: { path: "^bridge/" },
      to: { path: "^hub/", pathNot: "^hub/contract/" },
    },
    {
      name: "hub-never-knows-the-bridge",
      severity: "error",
      from: { path: "^hub/" },
      to: { path: "^bridge/" },
    },
    {
      name: "bridge-configuration-only-at-the-top",
      comment: "bridge.ts hands each part the slice it needs",
      severity: "error",
      from: { path: "^bridge/", pathNot: "^bridge/(main|bridge|config|index)\\.ts$" },
      to: { path: "^bridge/(main|bridge|config)\\.ts$" },
    },
    ...["webhook", "sync", "directory", "registry", "adapters", "state", "outgoing"].map(bridgeRoom),
    owned("@whiskeysockets/baileys", ["hub/whatsapp/"]),
    owned("libsignal", ["hub/whatsapp/"]),
    owned("whatsapp-rust-bridge", ["hub/whatsapp/"]),
    owned("better-sqlite3", ["hub/store/", "bridge/adapters/sqlite/"]),
    owned("express", ["hub/http/", "bridge/http/"]),
    owned("express-rate-limit", ["hub/http/"]),
    owned("busboy", ["hub/http/"]),
    owned("got", ["hub/inbox/", "bridge/adapters/frappe/", "bridge/adapters/http/", "bridge/directory/"]),
    owned("undici", ["hub/outbox/", "bridge/hub-exchange.ts"]),
    owned("jsonwebtoken", ["hub/http/"]),
    owned("prom-client", ["hub/http/", "bridge/http/"]),
    owned("lowdb", ["bridge/state/"]),
    owned("node-cron", ["hub/cron.ts", "bridge/cron.ts"]),
    owned("nodemailer", ["hub/alerts/"]),
    owned("qrcode", ["hub/http/"]),
    owned("file-type", ["hub/inbox/"]),
    owned("pino", ["hub/log.ts", "bridge/log.ts"]),
    owned("pino-http", ["hub/http/"]),
    owned("@asteasolutions/zod-to-openapi", ["hub/http/"]),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
