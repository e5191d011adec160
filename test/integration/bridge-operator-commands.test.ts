/** The operator's commands before a bridge that is slow, away for a moment, or at another address; and given wrong words. */
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { startFrappeSite } from "../support/frappe-site.ts";
import { freePort } from "../support/product-process.ts";
import { until } from "../support/until.ts";

const SCRIPTS = join(import.meta.dirname, "../../scripts");
const TSX = import.meta.resolve("tsx");
const KEY = "admin:0123456789abcdef";

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** In a folder of its own: no `.env` of a developer has a say. `interrupt`: as Ctrl-C does. */
function script(
  name: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Ended> & { interrupt(): void } {
  const cwd = mkdtempSync(join(tmpdir(), "bridge-commands-"));
  onTestFinished(() => rm(cwd, { recursive: true }));
  const command = [`--import`, TSX, join(SCRIPTS, `${name}.ts`), ...args];
  const whole = { PATH: process.env["PATH"], BRIDGE_METHOD_KEYS: KEY, ...env };
  const running = promisify(execFile)(process.execPath, command, { cwd, env: whole });
  const ended = running.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => error as Ended, // how execFile tells of a command that failed
  );
  return Object.assign(ended, { interrupt: () => void running.child.kill("SIGINT") });
}

type Answer = { status: number; body: unknown } | "broken";

/** A bridge that answers how far a sync is as it is told, one after the other; `asked`: with what. */
async function bridge(answers: Answer[], host = "127.0.0.1") {
  const asked: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const isStart = request.url?.endsWith("sync_session_complete") ?? false;
      // What the command sends is an object.
      if (!isStart) asked.push(JSON.parse(text) as Record<string, unknown>);
      const started: Answer = { status: 200, body: { message: { success: true, job_id: "j1" } } };
      const answer = isStart ? started : (answers.shift() ?? "broken");
      if (answer === "broken") return void request.socket.destroy();
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  onTestFinished(() => void server.close());
  // A listening TCP server has such an address.
  const { port } = server.address() as AddressInfo;
  return { asked, port: String(port) };
}

const job = (status: string, totals: object = {}, more: object = {}): Answer => ({
  status: 200,
  body: {
    message: {
      sessions: [{ job: { status, progress: 50, messages: { processed: 7 }, ...more }, ...totals }],
    },
  },
});
const held = { total_contacts: 3, total_chats: 2, total_messages: 7 };

describe("bridge:sync", () => {
  test("goes on over answers that fail, and has the CRM counted once, at the end", async () => {
    const away: Answer = { status: 503, body: { message: { error: "not now" } } };
    const { asked, port } = await bridge([
      job("running"),
      away,
      "broken",
      job("running"),
      job("done"),
      job("done", held),
    ]);
    const { code, stdout, stderr } = await script("bridge-sync", ["s1"], { BRIDGE_PORT: port });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toContain("In the CRM now: 3 contacts, 2 chats, 7 messages.");
    expect(asked.map(({ totals }) => totals)).toEqual([false, false, false, false, false, true]);
  });

  test("says why the sync waits, and after a while leaves it to the bridge", async () => {
    const waits = job("queued", {}, { waits_because: "The CRM is not ready: GET /stats: ECONNREFUSED" });
    const { port } = await bridge(Array.from({ length: 10 }, () => waits));
    const { code, stderr } = await script("bridge-sync", ["s1", "--wait", "1"], { BRIDGE_PORT: port });
    expect(code).toBe(1);
    expect(stderr.match(/ECONNREFUSED/g)).toHaveLength(2); // at once, and at the end
    expect(stderr).toContain("The sync goes on in the bridge; `npm run bridge:status` shows how far it is.");
  });

  test("says that the sync goes on when it is interrupted", async () => {
    const { port, asked } = await bridge(Array.from({ length: 60 }, () => job("running")));
    const started = script("bridge-sync", ["s1"], { BRIDGE_PORT: port });
    await until("it asks how far the sync is", () => asked.length > 0);
    started.interrupt();
    const { code, stderr } = await started;
    expect(code).toBe(130);
    expect(stderr).toContain("The sync goes on in the bridge");
  });

  test.each(["::1", "[::1]", "::"])("finds a bridge that listens at %s", async (host) => {
    const { port } = await bridge([job("done"), job("done", held)], "::1");
    const { code, stderr } = await script("bridge-sync", ["s1"], { BRIDGE_HOST: host, BRIDGE_PORT: port });
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });
});

describe.each(["bridge-sync", "bridge-status", "bridge-prepare"])("%s", (name) => {
  test("says of an unknown option in one line that there is none", async () => {
    const { code, stderr } = await script(name, ["--nonsense"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^.*unknown option '--nonsense'.*\n$/);
  });

  test("refuses what it has no use for", async () => {
    const { code, stderr } = await script(name, ["s1", "s2"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^.*too many arguments.*\n$/);
  });

  test("explains itself", async () => {
    const { code, stdout } = await script(name, ["--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: npm run ${name.replace("-", ":")} --`);
  });
});

describe("bridge:status", () => {
  /** A bridge that answers any path, with the status and text given for it. */
  async function answering(answers: Record<string, [status: number, body: unknown]>): Promise<string> {
    const server = createServer((request, response) => {
      const [status, body] = answers[request.url?.split(".").at(-1) ?? ""] ?? [200, {}];
      response.writeHead(status, { "content-type": "application/json" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    // A listening TCP server has such an address.
    return String((server.address() as AddressInfo).port);
  }
  const hub = {
    ok: false,
    problem: "The hub did not answer events (ECONNREFUSED).",
    advice: "Check that the hub runs.",
  };
  const crm = { ok: false, problem: "GET /stats: HTTP 401 (check CRM_AUTH)", advice: null };

  test("says in one line each what cannot be used, and fails", async () => {
    const port = await answering({ "/readyz": [503, { ready: false, checks: { hub, crm } }] });
    const { code, stdout } = await script("bridge-status", [], { BRIDGE_PORT: port });
    expect(code).toBe(1);
    expect(stdout).toContain(
      "✖ The hub cannot be used: The hub did not answer events (ECONNREFUSED). Check that the hub runs.\n" +
        "✖ The CRM cannot be used: GET /stats: HTTP 401 (check CRM_AUTH)\n",
    );
    const forPrograms = await script("bridge-status", ["--json"], { BRIDGE_PORT: port });
    expect(forPrograms.code).toBe(1);
    expect(JSON.parse(forPrograms.stdout)).toMatchObject({
      problems: [{}, {}].map(() => expect.any(String) as string),
    });
  });

  test("is content where everything works", async () => {
    const port = await answering({
      "/readyz": [200, { ready: true, checks: { hub: { ok: true }, crm: { ok: true } } }],
    });
    const { code, stdout } = await script("bridge-status", [], { BRIDGE_PORT: port });
    expect(code).toBe(0);
    expect(stdout).not.toContain("✖");
  });

  test("gives the bridge's own words of a refusal, whatever their shape", async () => {
    const plain = { success: false, error: "This key is not valid.", message: "This key is not valid." };
    const port = await answering({ "/api/connections": [401, plain] });
    expect((await script("bridge-status", [], { BRIDGE_PORT: port })).stderr).toMatch(
      /^401: This key is not valid\. Check BRIDGE_METHOD_KEYS.*\n$/,
    );
    const ofMethod = { message: { success: false, error: "It is off.", code: "SYNC_DISABLED" } };
    const other = await answering({ list_jobs: [409, ofMethod] });
    expect((await script("bridge-status", [], { BRIDGE_PORT: other })).stderr).toBe("409: It is off.\n");
  });

  test("says so where something else answers at the bridge's address", async () => {
    const port = await answering({ "/readyz": [200, "<html>"], "/api/connections": [200, "<html>"] });
    const { code, stderr } = await script("bridge-status", [], { BRIDGE_PORT: port });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^What answers at .* is no bridge: check BRIDGE_URL, or BRIDGE_PORT\.\n$/);
  });

  test("ends quietly when its reader has seen enough", async () => {
    const port = await answering({});
    const command = `"${process.execPath}" --import "${TSX}" "${join(SCRIPTS, "bridge-status.ts")}" | true`;
    const env = { PATH: process.env["PATH"], BRIDGE_METHOD_KEYS: KEY, BRIDGE_PORT: port };
    expect((await promisify(execFile)("sh", ["-c", command], { env, cwd: tmpdir() })).stderr).toBe("");
  });
});

test("bridge:prepare says which rights it could not give, and fails", async () => {
  const site = await startFrappeSite();
  onTestFinished(() => site.stop());
  site.troubles(({ method, path }) =>
    method === "POST" && path === "/api/resource/Role"
      ? { kind: "status", status: 403, body: '{"exc_type":"PermissionError"}' }
      : null,
  );
  const prepare = () =>
    script("bridge-prepare", [], {
      ...{ BRIDGE_HUB_API_KEY: "unused", BRIDGE_WEBHOOK_SECRET: "s".repeat(32), BRIDGE_LOG_LEVEL: "silent" },
      ...{ BRIDGE_CRM: "frappe", FRAPPE_URL: site.url },
      ...{ FRAPPE_API_KEY: site.apiKey, FRAPPE_API_SECRET: site.apiSecret },
    });
  const { code, stdout, stderr } = await prepare();
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^✖ Rights that are not given: .*WhatsApp Agent on WhatsApp Contact \(read, write\).*System Manager.*\n$/,
  );
  expect(stdout).not.toContain("is ready");
  site.troubles();
  const again = await prepare();
  expect([again.code, again.stderr]).toEqual([0, ""]);
  expect(again.stdout).toContain("The frappe CRM is ready.");
});

test("bridge:prepare says where the CRM was looked for, and what helps", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const withLogin = url.replace("//", "//ana:hunter22@");
  const { code, stderr } = await script("bridge-prepare", [], {
    ...{ BRIDGE_HUB_API_KEY: "unused", BRIDGE_WEBHOOK_SECRET: "s".repeat(32) },
    ...{ BRIDGE_CRM: "frappe", FRAPPE_URL: withLogin, FRAPPE_API_KEY: "k", FRAPPE_API_SECRET: "s" },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^The frappe CRM at .*ECONNREFUSED\. Check that the CRM runs, and that FRAPPE_URL.*\n$/,
  );
  expect(stderr).toContain(` ${url} `);
});
