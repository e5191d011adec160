/** `status`: the hub at a glance: whether it works, its accounts, what it owes, where, its backups, and the room it has. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import type { Bench, Desk } from "./desk.ts";
import { numberOf, recordOf, textOf, type HubCalls, type Json } from "./hub-calls.ts";
import { FIGURE_COLUMNS, sessionsWithFigures } from "./session-table.ts";
import { bytes, cell, duration, lines, moment, table } from "./show.ts";

export function addStatus(program: Command, bench: Bench): void {
  program
    .command("status")
    .description("whether the hub works, its sessions, what it still owes, and the room it has")
    .action(async () => {
      const status = await read(bench.hub(), bench.desk);
      bench.show({ data: status, text: textOfStatus(status), isProblem: status.problems.length > 0 });
    });
}

interface Status {
  url: string;
  version: string;
  /** Of the files this command was started from; differs after an update without a restart. */
  versionHere: string;
  ready: boolean;
  checks: Json;
  sessions: Json[];
  outbox: Json;
  endpoints: Json[];
  /** When backups were last made and tried out. */
  safekeeping: Json;
  /** What is put off because the hub does not keep up. */
  putOff: string[];
  /** Null when the data folder is not on this machine. */
  disk: { folder: string; freeBytes: number; databaseBytes: number } | null;
  problems: string[];
}

async function read(hub: HubCalls, desk: Desk): Promise<Status> {
  const [ready, health, sessions, outbox, endpoints, safekeeping] = await Promise.all([
    hub.probe("/readyz"),
    hub.probe("/health"),
    sessionsWithFigures(hub),
    hub.get("/api/deliveries/stats"),
    hub.all("/api/endpoints", "endpoints"),
    hub.get("/api/safekeeping"),
  ]);
  const status: Omit<Status, "problems"> = {
    url: hub.url,
    version: textOf(health?.body["version"]),
    versionHere: versionHere(),
    ready: ready?.status === 200,
    checks: recordOf(ready?.body["checks"]),
    sessions,
    outbox,
    endpoints,
    safekeeping,
    putOff: wordsOf(health?.body["putOff"]),
    disk: await diskOf(desk.env["HUB_DATA_DIR"] || "./data"),
  };
  return { ...status, problems: problemsOf(status) };
}

const wordsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(textOf) : []);

function versionHere(): string {
  const file: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return textOf(recordOf(file)["version"]);
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

async function diskOf(folder: string): Promise<Status["disk"]> {
  const database = join(folder, "hub.db");
  if (!existsSync(database)) return null;
  const { bavail, bsize } = await statfs(folder);
  return {
    folder,
    freeBytes: bavail * bsize,
    databaseBytes: statSync(database).size + sizeOf(`${database}-wal`),
  };
}

function problemsOf(status: Omit<Status, "problems">): string[] {
  const failing = Object.entries(status.checks).filter(([, isOk]) => isOk !== true);
  const parked = numberOf(status.outbox["dead"]);
  return [
    ...(status.ready
      ? []
      : [`The hub is not ready: ${failing.map(([name]) => name).join(", ") || "it says no more"}.`]),
    ...status.sessions
      .filter(
        (session) =>
          session["status"] === "error" ||
          (session["status"] === "disconnected" && session["state"] !== "stopped"),
      )
      .map(
        (session) =>
          `Session ${cell(session["sessionId"])} is ${cell(session["state"])}: npm run hub -- fix-session ${cell(session["sessionId"])}`,
      ),
    ...status.endpoints
      .filter((endpoint) => endpoint["state"] === "failing")
      .map(
        (endpoint) =>
          `Endpoint ${cell(endpoint["id"])} fails: npm run hub -- endpoints test ${cell(endpoint["id"])}`,
      ),
    ...backupProblems(status.safekeeping),
    ...(status.putOff.length === 0
      ? []
      : [`The hub does not keep up with its work; put off meanwhile: ${status.putOff.join(", ")}.`]),
    ...(parked > 0 ? [`${parked} deliveries are parked: npm run hub -- replay --state dead`] : []),
    ...(status.version === status.versionHere
      ? []
      : [`The hub runs version ${status.version}, the files here are ${status.versionHere}: restart it.`]),
  ];
}

/** Of turns that failed or are overdue; a hub that has just been set up has made none yet. */
function backupProblems(safekeeping: Json): string[] {
  return (["backup", "drill"] as const).flatMap((what) => {
    const { failing, ageSeconds } = recordOf(safekeeping[what]);
    const name = what === "backup" ? "backup" : "trial of a backup";
    if (failing === true) return [`The last ${name} failed: look into the log, then npm run hub -- backup`];
    return typeof ageSeconds === "number" && ageSeconds > OLD_SECONDS[what]
      ? [
          `The last ${name} is ${duration(ageSeconds * 1000)} old: leave the hub running, or npm run hub -- backup`,
        ]
      : [];
  });
}

/** Older than this, a turn was left out. */
const OLD_SECONDS = { backup: 3 * 3600, drill: 35 * 86_400 } as const;

function lastOf(turn: Json): string {
  const { failing, ageSeconds } = turn;
  const done = typeof ageSeconds === "number" ? `${duration(ageSeconds * 1000)} ago` : "none yet";
  return failing === true ? `${done}, the last one FAILED` : done;
}

function textOfStatus({
  url,
  version,
  ready,
  checks,
  sessions,
  outbox,
  endpoints,
  safekeeping,
  disk,
  problems,
}: Status): string {
  const checked = Object.entries(checks).map(([name, isOk]) => `${name} ${isOk === true ? "ok" : "FAILS"}`);
  return lines(
    `Inbox Hub ${version} at ${url}: ${ready ? "ready" : "NOT READY"} (${checked.join(", ")})`,
    disk === null
      ? null
      : `disk: ${bytes(disk.freeBytes)} free in ${disk.folder}, database ${bytes(disk.databaseBytes)}`,
    `backup: ${lastOf(recordOf(safekeeping["backup"]))}; tried out: ${lastOf(recordOf(safekeeping["drill"]))}`,
    `owed: ${cell(outbox["pending"])} pending, ${cell(outbox["retrying"])} retrying, ${cell(outbox["dead"])} parked; ` +
      `oldest ${cell(outbox["oldestPendingSeconds"])} s; ${cell(outbox["deliveredLastHour"])} delivered in the last hour, ` +
      `p50 ${cell(outbox["p50Ms"])} ms, p99 ${cell(outbox["p99Ms"])} ms`,
    "",
    sessions.length === 0
      ? "No sessions."
      : table(sessions, {
          session: "sessionId",
          state: "state",
          "last activity": (session) => moment(session["lastActivity"]),
          ...FIGURE_COLUMNS,
          why: (session) => cell(recordOf(session["reason"])["text"]),
        }),
    "",
    endpoints.length === 0
      ? "No endpoints."
      : table(endpoints, {
          endpoint: "id",
          state: "state",
          pending: "pending",
          parked: "dead",
          "last success": (endpoint) => moment(endpoint["lastSuccessAt"]),
          url: "url",
        }),
    ...(problems.length === 0 ? [] : ["", ...problems.map((problem) => `✖ ${problem}`)]),
  );
}
