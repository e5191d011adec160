/** The doctor: finds what is wrong, from this machine outwards, and says what to do; and what may be done to a stopped hub. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { execFile } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { systemClock } from "../../hub/core/clock.ts";
import type { Store } from "../../hub/core/store.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { runHubCommand } from "../../scripts/hub/program.ts";
import { SECRET } from "../support/outbox-rig.ts";
import { startFakeCrm } from "../support/fake-crm.ts";
import { aNewSession } from "../support/builders.ts";
import { minutes } from "../support/fixed-clock.ts";
import { listIn, openHttpRig, recordOf } from "../support/http-rig.ts";
import { createTlsCertificate } from "../whatsapp/wire/tls-certificate.ts";

const HUB_COMMAND = fileURLToPath(new URL("../../scripts/hub/main.ts", import.meta.url));
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const open = (dataDir: string): Promise<Store> =>
  openStore({ dataDir, publicUrl: "http://hub.example", clock: systemClock, log });

/** The data folder of a hub that ran and was stopped. */
async function aStoppedHub(
  work: (store: Store) => Promise<unknown> = () => Promise.resolve(),
): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "hub-doctor-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const store = await open(dir);
  await work(store);
  await store.close();
  return dir;
}

/** Something that takes WebSockets on WhatsApp's port, whose clock is `aheadMs` ahead; with `tls`, encrypted. */
async function aServer({
  aheadMs = 0,
  tls,
  host = "127.0.0.1",
}: { aheadMs?: number; tls?: ServerOptions; host?: string } = {}): Promise<string> {
  const answer: RequestListener = (_request, response) => {
    response.writeHead(404, { Date: new Date(Date.now() + aheadMs).toUTCString() }).end();
  };
  const server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer);
  const sockets = new WebSocketServer({ server });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    sockets.close();
    server.closeAllConnections();
    server.close();
  });
  // Of a server that listens on a port.
  const { port } = server.address() as AddressInfo;
  return `${tls === undefined ? "ws" : "wss"}://${host}:${port}/ws/chat`;
}

const certificate = (now = new Date()): ServerOptions & { cert: string } => {
  const { certificate: cert, privateKey: key } = createTlsCertificate([], now);
  return { cert, key };
};

async function run(args: string[], env: Record<string, string>, now = (): Date => new Date()) {
  const said = { out: "", err: "" };
  const code = await runHubCommand(args, {
    env,
    now,
    out: (text) => void (said.out += `${text}\n`),
    err: (text) => void (said.err += `${text}\n`),
  });
  return { code, ...said };
}

const doctor = async (
  env: Record<string, string>,
  now?: () => Date,
): Promise<{ code: number; checks: Record<string, string> }> => {
  const { code, out } = await run(["doctor", "--json"], env, now);
  const checks = listIn(recordOf(JSON.parse(out)), "checks");
  return {
    code,
    checks: Object.fromEntries(
      checks.map(({ what, outcome, detail }) => [String(what), `${String(outcome)}: ${String(detail)}`]),
    ),
  };
};

describe("the doctor", () => {
  test("finds nothing where nothing is wrong", async () => {
    const rig = await openHttpRig();
    const crm = await startFakeCrm({ secret: SECRET, now: () => rig.clock.now() });
    onTestFinished(() => crm.stop());
    await rig.post("/api/endpoints", { url: crm.url, secret: SECRET });
    await rig.session("shop");
    const { code, checks } = await doctor({
      HUB_URL: rig.url,
      HUB_API_KEY: rig.key,
      HUB_DATA_DIR: await aStoppedHub(),
      WA_WEB_SOCKET_URL: await aServer(),
    });
    const endpoint = Object.keys(checks).find((what) => what.startsWith("endpoint ep_")) ?? "";
    expect(checks).toMatchObject({
      "Node.js": `ok: ${process.versions.node}`,
      settings: expect.stringMatching(/^ok/) as string,
      "data folder": expect.stringMatching(/^ok/) as string,
      disk: expect.stringMatching(/^ok/) as string,
      database: expect.stringMatching(/^ok: .*without damage/) as string,
      clock: expect.stringMatching(/^ok: as at 127\.0\.0\.1/) as string,
      "WhatsApp: DNS": "ok: 127.0.0.1 is 127.0.0.1",
      "WhatsApp: connection": expect.stringMatching(/^ok/) as string,
      "WhatsApp: WebSocket": "ok: opens",
      hub: expect.stringMatching(/^ok: ready/) as string,
      sessions: "ok: 1, none that needs anything",
      [endpoint]: expect.stringMatching(/^ok: 127\.0\.0\.1:\d+: dns, connect/) as string,
      bridge: "skipped: none is configured",
    });
    expect(code).toBe(0);
  });

  test("names everything that is wrong at once, each with what to do", async () => {
    const dir = await aStoppedHub();
    chmodSync(dir, 0o755);
    const file = join(dir, "hub.db");
    const bytes = readFileSync(file);
    bytes.fill(0xee, 4096, 4096 * 3);
    writeFileSync(file, bytes);
    const env = {
      HUB_URL: "http://127.0.0.1:1",
      HUB_API_KEY: "x".repeat(40),
      HUB_DATA_DIR: dir,
      WA_WEB_SOCKET_URL: "ws://127.0.0.1:1/ws/chat",
      BRIDGE_HUB_API_KEY: "x",
      BRIDGE_PORT: "1",
    };
    const { code, checks } = await doctor(env);
    expect(code).toBe(1);
    expect(Object.entries(checks).filter(([, told]) => told.startsWith("problem"))).toEqual([
      ["data folder", expect.stringContaining("others on this machine can read")],
      ["database", expect.stringContaining("is damaged")],
      ["WhatsApp: connection", expect.stringContaining("ECONNREFUSED")],
      ["hub", expect.stringContaining("none answers at http://127.0.0.1:1")],
      ["bridge", expect.stringContaining("none answers at http://127.0.0.1:1")],
    ]);
    const { out } = await run(["doctor"], env);
    expect(out).toContain(`    → chmod -R go= ${dir}`);
    expect(out).toContain("5 to look at.");
  });

  test("tells a clock that is wrong, and settings the hub would not start with", async () => {
    const rig = await openHttpRig();
    const env = {
      HUB_URL: rig.url,
      HUB_API_KEY: rig.key,
      HUB_DATA_DIR: await aStoppedHub(),
      WA_WEB_SOCKET_URL: await aServer(),
    };
    const late = await doctor(env, () => new Date(Date.now() - minutes(4)));
    expect(late.checks["clock"]).toMatch(/^problem: 2[34]\d s behind 127\.0\.0\.1/);
    const { checks } = await doctor({ ...env, HUB_PORT: "http" });
    expect(checks["settings"]).toMatch(/^problem: .*HUB_PORT/);
  });

  test("tells by another server's clock that this one is slow", async () => {
    const { checks } = await doctor({
      HUB_URL: "http://127.0.0.1:1",
      HUB_DATA_DIR: await aStoppedHub(),
      WA_WEB_SOCKET_URL: await aServer({ aheadMs: minutes(10) }),
    });
    expect(checks["clock"]).toMatch(/^problem: (599|600|601) s behind 127\.0\.0\.1/);
  });

  test.each<[string, ServerOptions, RegExp]>([
    ["nobody vouches for", certificate(), /^problem: .*SELF_SIGNED/],
    ["has expired", certificate(new Date("2020-01-01T00:00:00Z")), /^problem: .*(EXPIRED|SELF_SIGNED)/],
    [
      "comes with a TLS of yesterday",
      { ...certificate(), minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
      /^problem: .*(PROTO|SSL)/,
    ],
  ])("does not trust a certificate that %s, and takes no time from there", async (_what, tls, told) => {
    const { code, checks } = await doctor({
      HUB_URL: "http://127.0.0.1:1",
      HUB_DATA_DIR: await aStoppedHub(),
      WA_WEB_SOCKET_URL: await aServer({ tls }),
    });
    expect(code).toBe(1);
    expect(checks["WhatsApp: connection"]).toMatch(/^ok/);
    expect(checks["WhatsApp: TLS"]).toMatch(told);
    expect(checks["clock"]).toBe("skipped: no server told its time");
  });

  test("trusts a certificate that this machine trusts, for its own names, and takes the time from there", async () => {
    const tls = certificate();
    const dir = await aStoppedHub();
    const trusted = join(dir, "ca.pem");
    writeFileSync(trusted, tls.cert);
    const ask = async (whatsApp: string): Promise<Record<string, string>> => {
      // Node reads what it is to trust when it starts.
      const said = await new Promise<string>((resolve) => {
        const env = {
          PATH: process.env["PATH"],
          NODE_EXTRA_CA_CERTS: trusted,
          HUB_URL: "http://127.0.0.1:1",
          HUB_DATA_DIR: dir,
          WA_WEB_SOCKET_URL: whatsApp,
        };
        execFile(
          process.execPath,
          ["--import", "tsx", HUB_COMMAND, "doctor", "--json"],
          { env },
          (_error, out) => {
            resolve(out);
          },
        );
      });
      return Object.fromEntries(
        listIn(recordOf(JSON.parse(said)), "checks").map(({ what, outcome, detail }) => [
          String(what),
          `${String(outcome)}: ${String(detail)}`,
        ]),
      );
    };
    const own = await ask(await aServer({ tls, aheadMs: minutes(2) }));
    expect(own["WhatsApp: TLS"]).toBe("ok: the certificate is valid");
    expect(own["clock"]).toMatch(/^problem: 1[12]\d s behind 127\.0\.0\.1/);
    const other = await ask(await aServer({ tls, host: "localhost" }));
    expect(other["WhatsApp: TLS"]).toMatch(/^problem: .*ALTNAME/);
  }, 60_000);

  test("leaves the files of a running hub alone, and says when that hub does not answer where it should", async () => {
    const dir = await aStoppedHub();
    const store = await open(dir);
    onTestFinished(() => store.close());
    const { checks } = await doctor({
      HUB_URL: "http://127.0.0.1:1",
      HUB_DATA_DIR: dir,
      WA_WEB_SOCKET_URL: await aServer(),
    });
    expect(checks["database"]).toMatch(/^skipped: in use by the running hub/);
    expect(checks["hub"]).toMatch(/^problem: a hub runs on the data folder, but none answers/);
  });
});

describe("audit verify", () => {
  const aLog = (store: Store) =>
    store.audit.append({
      at: new Date(),
      actor: "hub",
      actorName: null,
      action: "hub.started",
      target: null,
      outcome: "done",
      details: {},
    });

  test("says whether the chain of a stopped hub is whole", async () => {
    const dir = await aStoppedHub(async (store) => {
      await store.sessions.create(aNewSession());
      await aLog(store);
      await aLog(store);
    });
    const whole = await run(["audit", "verify"], { HUB_DATA_DIR: dir });
    expect([whole.code, whole.out]).toEqual([
      0,
      expect.stringMatching(/is whole: 2 entries, 1 to 2\.\nLast hash: [0-9a-f]{64}/),
    ]);
    const { default: Database } = await import("better-sqlite3");
    const db = new Database(join(dir, "hub.db"));
    db.exec("DROP TRIGGER audit_loses_only_what_is_cut; DELETE FROM audit WHERE n = 1");
    db.close();
    const broken = await run(["audit", "verify"], { HUB_DATA_DIR: dir });
    expect([broken.code, broken.out]).toEqual([1, expect.stringContaining("row 1 is missing")]);
  });

  test("is refused while a hub runs, and where there is none", async () => {
    const dir = await aStoppedHub();
    const store = await open(dir);
    onTestFinished(() => store.close());
    const running = await run(["audit", "verify"], { HUB_DATA_DIR: dir });
    expect([running.code, running.err]).toEqual([
      1,
      expect.stringContaining("Another Inbox Hub is running on this data folder"),
    ]);
    const nowhere = await run(["audit", "verify"], { HUB_DATA_DIR: join(dir, "other") });
    expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining("There is no hub in")]);
  });
});
