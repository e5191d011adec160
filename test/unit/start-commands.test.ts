/** How the processes are started: without `__proto__`, through which hostile JSON could reach what all objects share. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { z } from "zod";

const ROOT = new URL("../..", import.meta.url).pathname;
const FLAG = "--disable-proto=delete";

test("npm starts both of them so", () => {
  const text = readFileSync(`${ROOT}package.json`, "utf8");
  const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(text));
  const starting = Object.entries(scripts).filter(([, command]) => command.includes("dist/"));
  expect(starting.map(([name]) => name)).toEqual(["start", "bridge"]);
  for (const [name, command] of starting)
    expect([name, command]).toEqual([name, expect.stringContaining(FLAG)]);
});

test("and pm2", () => {
  const before = process.env["BRIDGE_HUB_API_KEY"];
  process.env["BRIDGE_HUB_API_KEY"] = "a key";
  const loaded: unknown = createRequire(import.meta.url)(`${ROOT}ecosystem.config.cjs`);
  if (before === undefined) delete process.env["BRIDGE_HUB_API_KEY"];
  else process.env["BRIDGE_HUB_API_KEY"] = before;
  const { apps } = z
    .object({ apps: z.array(z.object({ name: z.string(), node_args: z.string() })) })
    .parse(loaded);
  expect(apps.map(({ name }) => name)).toEqual(["inbox-hub", "inbox-bridge"]);
  for (const { node_args: args } of apps) expect(args.split(" ")).toContain(FLAG);
});
