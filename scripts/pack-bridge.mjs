/**
 * `npm run bridge:pack`: the bridge as a package of its own, `inbox-hub-bridge-<version>.tgz`: the bridge and the hub's
 * contract, compiled, with the libraries those import and no others. `-- --out <folder>` puts it elsewhere.
 */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";

const root = fileURLToPath(new URL("..", import.meta.url));
/** As the other commands: 2 says that it was called in a way that makes no sense. */
const WRONG_USE = 2;
const options = new Command("npm run bridge:pack --")
  .description("makes the bridge a package of its own")
  .option("--out <folder>", "where it is put", root)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : WRONG_USE))
  .parse()
  .opts();
const project = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Loaded only where the CRM that needs them is chosen: whoever chooses it installs them. */
const CHOSEN = ["better-sqlite3"];

function run(command, args, cwd) {
  const { status, stdout, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status === 0) return stdout;
  console.error(stdout || error?.message || "");
  throw new Error(`${command} ${args[0]} failed`);
}

function compile(folder) {
  const config = join(folder, "tsconfig.json");
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, "tsconfig.build.json"),
      compilerOptions: {
        rootDir: root,
        outDir: join(folder, "dist"),
        declaration: true,
        sourceMap: false,
        typeRoots: [join(root, "node_modules/@types")],
      },
      include: [join(root, "bridge"), join(root, "hub/contract")],
    }),
  );
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", config], root);
  rmSync(config);
}

const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** The compiler rewrites the extensions in what runs; in the declarations they stay as they are in the source. */
function pointDeclarationsAtDeclarations(files) {
  for (const file of files.filter((name) => name.endsWith(".d.ts"))) {
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/((?:from|import\()\s*"\.{1,2}\/[^"]+)\.ts"/g, '$1.js"'));
  }
}

/** The packages that the compiled files import. */
function importedBy(files) {
  const names = new Set();
  for (const file of files.filter((name) => name.endsWith(".js")))
    for (const [, name] of readFileSync(file, "utf8").matchAll(
      /(?:\bfrom|\bimport|\bimport\()\s*"((?:@[a-z0-9-]+\/)?[a-z][a-z0-9.-]*)(?:\/[^"]*)?"/g,
    ))
      names.add(name);
  return [...names].sort();
}

function dependenciesOf(names) {
  const versions = names.map((name) => {
    const version = project.dependencies[name];
    if (version === undefined)
      throw new Error(`the bridge imports ${name}, which is no dependency of the project`);
    return [name, version];
  });
  const isChosen = ([name]) => CHOSEN.includes(name);
  return {
    dependencies: Object.fromEntries(versions.filter((one) => !isChosen(one))),
    peerDependencies: Object.fromEntries(versions.filter(isChosen)),
    peerDependenciesMeta: Object.fromEntries(
      versions.filter(isChosen).map(([name]) => [name, { optional: true }]),
    ),
  };
}

const README = `# inbox-hub-bridge

Receives the webhooks of an Inbox Hub, keeps a CRM's WhatsApp records, syncs and repairs them.

As a process beside the CRM: \`npx inbox-bridge\`, configured by the environment (\`BRIDGE_HUB_API_KEY\`,
\`BRIDGE_WEBHOOK_SECRET\`, \`BRIDGE_CRM\`, …). Inside a CRM written for Node.js:

\`\`\`js
import express from "express";
import { createLog, expressDoor, readBridgeConfig, startBridge } from "inbox-hub-bridge";
import { myCrm } from "./my-crm.js"; // your \`CrmAdapter\`: how your records are written and read

const config = readBridgeConfig(process.env);
const bridge = await startBridge(config, createLog(config.logLevel), { adapter: myCrm, serve: false });

const app = express();
app.post("/webhook", expressDoor(bridge.receiver)); // before anything that parses bodies
const server = app.listen(Number(process.env.PORT ?? 8000));

process.once("SIGTERM", () => {
  server.close();
  void bridge.stop();
});
\`\`\`

\`BRIDGE_PUBLIC_URL\` is where the hub reaches your server (\`https://crm.example\`): the bridge has itself called there, at
\`/webhook\` below it. Left out, add an endpoint at the hub yourself. In TypeScript the example needs \`@types/express\` and \`@types/node\`;
the package itself needs \`@types/node\` alone.

\`BRIDGE_CRM=sqlite\` (what is chosen where nothing else is) needs \`npm install better-sqlite3@${project.dependencies["better-sqlite3"]}\` as well.
`;

/** As `--disable-proto=delete`, which a first line cannot pass to Node.js on every system (BusyBox has no `env -S`). */
const BIN = `#!/usr/bin/env node
delete Object.prototype.__proto__; // hostile JSON could reach through it what all objects share
// npx starts it in a shell that passes no signal on: when that shell is gone, the bridge is to stop.
if (process.env.npm_command === "exec") {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.kill(process.pid, "SIGTERM"), 500).unref();
}
await import("../dist/bridge/main.js");
`;

const folder = mkdtempSync(join(tmpdir(), "pack-bridge-"));
try {
  compile(folder);
  const files = filesBelow(join(folder, "dist"));
  pointDeclarationsAtDeclarations(files);
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/inbox-bridge.mjs"), BIN, { mode: 0o755 });
  writeFileSync(join(folder, "README.md"), README);
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  writeFileSync(
    join(folder, "package.json"),
    `${JSON.stringify(
      {
        name: "inbox-hub-bridge",
        version: project.version,
        description: "Fills a CRM from an Inbox Hub, and keeps it true.",
        license: project.license,
        type: "module",
        engines: project.engines,
        bin: { "inbox-bridge": "bin/inbox-bridge.mjs" },
        exports: {
          ".": { types: "./dist/bridge/index.d.ts", default: "./dist/bridge/index.js" },
          "./contract": { types: "./dist/hub/contract/index.d.ts", default: "./dist/hub/contract/index.js" },
        },
        files: ["bin", "dist"],
        ...dependenciesOf(importedBy(files)),
      },
      null,
      2,
    )}\n`,
  );
  const out = resolve(options.out);
  mkdirSync(out, { recursive: true });
  const [packed] = JSON.parse(
    run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", out], folder),
  );
  console.log(join(out, packed.filename));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
