/** The example receivers as real servers: Django and PHP processes on a free port, each with a database file of its own. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { DocumentReader } from "../../bridge/adapter.ts";
import { enforceLengths } from "./column-lengths.ts";
import { crmDocuments } from "./http-crm-documents.ts";
import { until } from "./until.ts";

const EXAMPLES = join(import.meta.dirname, "../../bridge/examples");
/** Debian's own interpreter: its packages are for it, whatever other Python stands before it in the path. */
const PYTHONS = ["/usr/bin/python3", "python3"];

export interface HttpCrm {
  url: string;
  secret: string;
  auth: string;
  documents: DocumentReader;
  /** Its database, to look into and to do as people do by hand; `table` is its name of a table of ours. */
  db: Database.Database;
  table(name: string): string;
  /** Throws away everything it holds. */
  empty(): void;
  personEdits(doctype: string, name: string, fields: Record<string, string | null>): Promise<void>;
  stop(): Promise<void>;
}

/** A program that a test needs: which, or what is missing. */
export type Needed = { found: string } | { missing: string };

const runs = (command: string, args: string[]): boolean => spawnSync(command, args).status === 0;

export function django(): Needed {
  const python = PYTHONS.find((command) => runs(command, ["-c", "import django"]));
  return python === undefined
    ? { missing: "Django is not installed: apt-get install python3-django" }
    : { found: python };
}

export function php(): Needed {
  return runs("php", ["-r", "exit(extension_loaded('pdo_sqlite') ? 0 : 1);"])
    ? { found: "php" }
    : { missing: "PHP with SQLite is not installed: apt-get install php-cli php-sqlite3" };
}

export function laravel(): Needed {
  const code = "exit(@include '/usr/share/php/Illuminate/autoload.php' ? 0 : 1);";
  return "found" in php() && runs("php", ["-r", code])
    ? { found: "php" }
    : { missing: "Laravel is not installed: apt-get install php-laravel-framework php-sqlite3" };
}

/** On a developer's machine such tests are left out, with a word on what to install; in CI they must run. */
export const isLeftOut = (needed: Needed): boolean => "missing" in needed && process.env["CI"] === undefined;

function commandOf(needed: Needed): string {
  if ("missing" in needed) throw new Error(needed.missing);
  return needed.found;
}

const SECRET = "a secret of tests, long enough";
const AUTH = "Token of tests";

export async function startDjangoCrm(): Promise<HttpCrm> {
  const python = commandOf(django());
  const folder = await mkdtemp(join(tmpdir(), "crm-django-"));
  const file = join(folder, "crm.sqlite3");
  const env = {
    ...process.env,
    DJANGO_DB: file,
    INBOX_SECRET: SECRET,
    INBOX_AUTH: AUTH,
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const manage = join(EXAMPLES, "django/manage.py");
  const migrated = spawnSync(python, [manage, "migrate", "--verbosity", "0"], { env });
  if (migrated.status !== 0) throw new Error(`Django's migration failed: ${migrated.stderr.toString()}`);
  const port = await freePort();
  const server = spawn(python, [manage, "runserver", "--noreload", `127.0.0.1:${port}`], {
    env,
    stdio: "ignore",
  });
  return running({ server, folder, file, url: `http://127.0.0.1:${port}/inbox`, plural: false });
}

export async function startLaravelCrm(): Promise<HttpCrm> {
  const command = commandOf(laravel());
  const folder = await mkdtemp(join(tmpdir(), "crm-laravel-"));
  const file = join(folder, "crm.sqlite3");
  const app = join(import.meta.dirname, "laravel-app");
  await cp(join(app, "config"), join(folder, "config"), { recursive: true });
  await mkdir(join(folder, "bootstrap/cache"), { recursive: true });
  await writeFile(file, "");
  const env = {
    ...serverEnv(file),
    LARAVEL_BASE: folder,
    LARAVEL_EXAMPLE: join(EXAMPLES, "laravel"),
  };
  const migrated = spawnSync(command, [join(app, "index.php")], { env });
  if (migrated.status !== 0) throw new Error(`Laravel's migration failed: ${migrated.stdout.toString()}`);
  return servePhp({ command, script: join(app, "index.php"), env, folder, file, path: "/api/inbox" });
}

export async function startPhpCrm(): Promise<HttpCrm> {
  const command = commandOf(php());
  const folder = await mkdtemp(join(tmpdir(), "crm-php-"));
  const file = join(folder, "crm.sqlite3");
  return servePhp({
    command,
    script: join(EXAMPLES, "php/index.php"),
    env: serverEnv(file),
    folder,
    file,
    path: "",
  });
}

const serverEnv = (file: string): NodeJS.ProcessEnv => ({
  ...process.env,
  INBOX_DB: file,
  INBOX_SECRET: SECRET,
  INBOX_AUTH: AUTH,
  PHP_CLI_SERVER_WORKERS: "4",
});

async function servePhp({
  command,
  script,
  env,
  folder,
  file,
  path,
}: {
  command: string;
  script: string;
  env: NodeJS.ProcessEnv;
  folder: string;
  file: string;
  path: string;
}): Promise<HttpCrm> {
  const port = await freePort();
  const args = ["-S", `127.0.0.1:${port}`, script];
  const server = spawn(command, args, { env, stdio: "ignore", detached: true });
  return running({ server, folder, file, url: `http://127.0.0.1:${port}${path}`, plural: true });
}

const TABLE_OF: Record<string, string> = { "WhatsApp Contact": "contact", "WhatsApp Client": "client" };

async function running({
  server,
  folder,
  file,
  url,
  plural,
}: {
  server: ChildProcess;
  folder: string;
  file: string;
  url: string;
  plural: boolean;
}): Promise<HttpCrm> {
  await until(`the CRM at ${url}`, async () => {
    if (server.exitCode !== null) throw new Error(`the CRM ended with code ${server.exitCode}`);
    // Up, and unwilling to say anything to somebody without a signature.
    return (await fetch(`${url}/stats?sessionId=s1`).catch(() => null))?.status === 401;
  });
  const db = new Database(file, { timeout: 10_000 });
  const table = (name: string): string => `inbox_${name}${plural ? (name === "alias" ? "es" : "s") : ""}`;
  enforceLengths(db, table);
  return {
    url,
    db,
    table,
    secret: SECRET,
    auth: AUTH,
    documents: crmDocuments(db, table),
    empty: () => {
      for (const name of ["reactor", "message", "chat", "contact", "alias", "client", "session"])
        db.exec(`DELETE FROM ${table(name)}`);
    },
    personEdits: (doctype, name, fields) => {
      const kind = TABLE_OF[doctype] ?? "chat";
      for (const [field, value] of Object.entries(fields))
        db.prepare(`UPDATE ${table(kind)} SET ${field} = ? WHERE id = ?`).run(value, Number(name));
      return Promise.resolve();
    },
    stop: async () => {
      db.close();
      const ended = once(server, "exit");
      // PHP's workers are children of the process that was started.
      if (server.spawnargs[0] === "php" && server.pid !== undefined) process.kill(-server.pid, "SIGKILL");
      else server.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A listening TCP server has such an address.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
