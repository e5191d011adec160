/** The emulator as a process of its own, and a program in another that takes it for WhatsApp without a change in it. */
import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { EmulatorError } from "../whatsapp/client.ts";
import { eventually } from "../whatsapp/test-bed.ts";
import { spawnEmulator, type SpawnedEmulator } from "../whatsapp/spawn.ts";

const PROGRAM = fileURLToPath(new URL("../whatsapp/sample-program.mjs", import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

let emulator: SpawnedEmulator;
const children: ChildProcess[] = [];

beforeAll(async () => {
  emulator = await spawnEmulator();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => emulator.stop());

type Line = Record<string, string | number>;
interface Program {
  said(key: string): Promise<Line>;
  pid: number;
  exited: Promise<void>;
}

function start(nodeArguments: string[]): Program {
  const child = spawn(process.execPath, [...nodeArguments, PROGRAM], {
    env: { ...process.env, ...emulator.environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line) as Line)); // sample-program.mjs wrote it
  return {
    pid: child.pid ?? 0,
    exited: new Promise((resolve) => child.once("exit", () => resolve())),
    async said(key) {
      await eventually(() => lines.find((line) => key in line)).toBeDefined();
      return lines.find((line) => key in line) ?? {};
    },
  };
}

describe("a program that was started with the preload", () => {
  test.each<[string, () => string[]]>([
    ["by node", () => emulator.preload],
    ["by tsx", () => [...emulator.preload, "--import", TSX]],
  ])("%s is linked, reads, downloads, uploads and answers", async (_how, nodeArguments) => {
    const { number } = await emulator.createAccount({ preset: "small" });
    const program = start(nodeArguments());
    const { qr } = await program.said("qr");
    await expect(emulator.scanQr(String(qr), number)).resolves.toMatchObject({ outcome: "paired" });
    await program.said("open");

    await emulator.receive({ account: number, kind: "text", text: "hola" });
    expect(await program.said("text")).toEqual({ text: "hola" });
    const file = Buffer.from("89504e470d0a1a0a", "hex");
    await emulator.receive({ account: number, kind: "image", base64: file.toString("base64") });
    const sha256 = createHash("sha256").update(file).digest("hex");
    expect(await program.said("image")).toEqual({ image: sha256 });

    await expect.poll(async () => (await emulator.sent({ account: number })).length).toBe(2);
    expect(await emulator.sent({ account: number })).toMatchObject([
      { text: "re: hola" },
      { kind: "documentMessage", media: { sha256 } },
    ]);
    expect((await emulator.counters()).unknown).toEqual({});
  });

  test("can be killed at the moment of a receipt", async () => {
    const { number } = await emulator.createAccount({ preset: "empty" });
    const program = start(emulator.preload);
    const { qr } = await program.said("qr");
    await emulator.scanQr(String(qr), number);
    await program.said("open");
    const stop = await emulator.on({ types: ["message.received"], account: number }, () => {
      process.kill(program.pid, "SIGKILL");
    });

    await emulator.receive({ account: number, from: "99911112222", kind: "text", text: "the last one" });

    await program.exited;
    stop();
    expect(await emulator.ledgerSummary(number)).toMatchObject({ queued: 1, receipted: 1 });
  });
});

describe("the admin API", () => {
  const ask = (path: string, init: RequestInit = {}) => fetch(new URL(path, emulator.url), init);
  const post = (path: string, body: string) => ask(path, { method: "POST", body });

  test("takes the text of a QR code alone as the body", async () => {
    const { number } = await emulator.createAccount({ preset: "empty" });
    const program = start(emulator.preload);
    const { qr } = await program.said("qr");
    const response = await post("/admin/mock-phone/scan-qr", String(qr));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ outcome: "paired", account: number });
  });

  test("says what is wrong with a request", async () => {
    expect((await post("/admin/accounts", `{"preset":"enormous"}`)).status).toBe(400);
    expect(await (await post("/admin/messages", `{"kind":"text"}`)).json()).toMatchObject({
      error: expect.stringContaining("text") as string,
    });
    expect((await post("/admin/accounts", `{"preset`)).status).toBe(400);
    expect((await ask("/admin/accounts/999000")).status).toBe(404);
    expect((await ask("/admin/nowhere")).status).toBe(404);
    await expect(emulator.fault({ kind: "close", account: "999000" })).rejects.toThrow(EmulatorError);
    expect((await post("/admin/mock-phone/scan-qr", "hello")).status).toBe(400);
  });

  test("lists its routes on its front page", async () => {
    const page = await (await ask("/")).text();
    for (const path of ["/admin/mock-phone/scan-qr", "/admin/ledger/summary", "/admin/faults"])
      expect(page).toContain(path);
  });

  test("has every route in the README", async () => {
    const readme = await readFile(new URL("../whatsapp/README.md", import.meta.url), "utf8");
    const page = await (await ask("/")).text();
    const listed = [...page.matchAll(/<td>(\w+)<\/td><td><code>([^<]+)<\/code>/g)];
    expect(listed.length).toBeGreaterThan(30);
    const missing = listed.filter(
      ([, method, path]) =>
        !new RegExp(`\\| ${method} +\\| \`${path?.replace(/[{}]/g, "\\$&")}\``).test(readme),
    );
    expect(missing).toEqual([]);
  });

  test("lets one wait for what has not happened yet", async () => {
    const waiting = emulator.waitFor({
      types: ["fault.used"],
      after: await emulator.lastEvent(),
      timeoutMs: 5_000,
    });
    await emulator.fault({ kind: "reject-upgrade" });
    await knock(emulator.wsUrl);
    expect(await waiting).toMatchObject([{ type: "fault.used", detail: { kind: "reject-upgrade" } }]);
  });
});

/** Settles when the door is shut again. */
const knock = (wsUrl: string): Promise<void> =>
  new Promise((resolve) => {
    const socket = new WebSocket(wsUrl);
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
    socket.on("open", () => socket.close());
  });
