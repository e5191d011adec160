/** The operator's commands before a bridge that is slow, away for a moment, or at another address; and given wrong words. */
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";

const SCRIPTS = join(import.meta.dirname, "../../scripts");
const TSX = import.meta.resolve("tsx");
const KEY = "admin:0123456789abcdef";

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** In a folder of its own: no `.env` of a developer has a say. */
async function script(name: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const cwd = await mkdtemp(join(tmpdir(), "bridge-commands-"));
  onTestFinished(() => rm(cwd, { recursive: true }));
  const command = [`--import`, TSX, join(SCRIPTS, `${name}.ts`), ...args];
  const whole = { PATH: process.env["PATH"], BRIDGE_METHOD_KEYS: KEY, ...env };
  return promisify(execFile)(process.execPath, command, { cwd, env: whole }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => error as Ended, // how execFile tells of a command that failed
  );
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

const job = (status: string, totals: object = {}): Answer => ({
  status: 200,
  body: { message: { sessions: [{ job: { status, progress: 50, messages: { processed: 7 } }, ...totals }] } },
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

  test.each(["::1", "[::1]", "::"])("finds a bridge that listens at %s", async (host) => {
    const { port } = await bridge([job("done"), job("done", held)], "::1");
    const { code, stderr } = await script("bridge-sync", ["s1"], { BRIDGE_HOST: host, BRIDGE_PORT: port });
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });
});

test.each(["bridge-sync", "bridge-status"])(
  "%s says of an unknown option in one line that there is none",
  async (name) => {
    const { code, stderr } = await script(name, ["--nonsense"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Unknown option '--nonsense'.*\n$/);
  },
);
