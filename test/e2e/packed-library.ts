/** The packed bridge as a library: the example of its README compiled as TypeScript, and run as it stands. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished } from "vitest";
import { until } from "../support/until.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const run = promisify(execFile);

const CRM = `
import { openAdapter, createLog } from "inbox-hub-bridge";
const clock = { now: () => new Date() };
export const myCrm = await openAdapter({ kind: "memory" }, { clock, log: createLog("silent") });
`;

/** The package needs the types of node alone; the example those of Express, too. All of them are checked, also the package's own. */
export async function compiles(folder: string, example: string): Promise<void> {
  const types = join(folder, "node_modules/@types");
  await mkdir(types, { recursive: true });
  const config = {
    compilerOptions: {
      ...{ module: "nodenext", target: "es2023", strict: true, noEmit: true, skipLibCheck: false },
      types: ["node"],
    },
  };
  const check = async (text: string): Promise<void> => {
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ ...config, files: ["checked.ts"] }));
    await writeFile(join(folder, "checked.ts"), text);
    await run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder]);
  };
  const link = (...names: string[]) =>
    Promise.all(
      names.map((name) =>
        cp(join(ROOT, "node_modules/@types", name), join(types, name), { recursive: true }),
      ),
    );
  await writeFile(join(folder, "my-crm.js"), CRM);
  await writeFile(
    join(folder, "my-crm.d.ts"),
    'import type { CrmAdapter } from "inbox-hub-bridge";\nexport declare const myCrm: CrmAdapter;\n',
  );
  await link("node");
  await cp(join(ROOT, "node_modules/undici-types"), join(folder, "node_modules/undici-types"), {
    recursive: true,
  });
  await check(
    'import * as bridge from "inbox-hub-bridge";\nexport const { startBridge, expressDoor } = bridge;\n',
  );
  const ofExpress = ["express", "express-serve-static-core", "body-parser", "connect", "http-errors"];
  await link(...ofExpress, "qs", "range-parser", "send", "serve-static");
  await check(example);
}

/** The example as it stands, in a process of its own with a hub that takes its endpoint. */
export async function servesInside(
  folder: string,
  example: string,
  { env, body, headers }: { env: Record<string, string>; body: string; headers: Record<string, string> },
): Promise<void> {
  const told: string[] = [];
  const hub = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method === "POST" && request.url === "/api/endpoints")
        told.push(Buffer.concat(chunks).toString());
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ success: true, data: { endpoints: [], id: "ep_1" } }));
    });
  });
  const hubUrl = await listening(hub);
  const free = createServer();
  const { port } = new URL(await listening(free));
  free.close();
  await writeFile(join(folder, "example.js"), example);
  const mine = {
    ...{ ...env, PATH: process.env["PATH"], PORT: port, BRIDGE_HUB_URL: hubUrl },
    ...{ BRIDGE_DATA_DIR: join(folder, "mounted"), BRIDGE_PUBLIC_URL: "https://crm.example" },
  };
  const child = spawn(process.execPath, ["example.js"], { cwd: folder, env: mine, stdio: "ignore" });
  onTestFinished(() => {
    child.kill("SIGKILL");
    hub.close();
  });
  const post = () =>
    fetch(`http://127.0.0.1:${port}/webhook`, { method: "POST", headers, body }).catch(() => null);
  await until("the example to take a webhook", async () => (await post())?.status === 200);
  await until("the hub to be told where the bridge is", () => told.length > 0);
  expect(JSON.parse(told[0] ?? "")).toMatchObject({ url: "https://crm.example/webhook" });
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
}

async function listening(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port
}
