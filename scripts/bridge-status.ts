/** `npm run bridge:status`: what cannot be used, accounts, syncs, what failed, the client directory and how far the feed is behind. */
import { Command } from "commander";
import { callBridge, recordOf, recordsOf, type BridgeCaller } from "./bridge-caller.ts";
import { runCommand } from "./bridge-command.ts";
import { textTable } from "./text-table.ts";

interface Status {
  /** What cannot be used, with what helps; a line each. */
  problems: string[];
  figures: Record<string, unknown>;
  connections: Record<string, unknown>[];
  corrections: Record<string, unknown>[];
  sessions: Record<string, unknown>[];
  failed: Record<string, unknown>[];
  /** Orders to send that wait for the hub, or failed after they had. */
  sends: Record<string, unknown>[];
  /** Passes over the client directory, newest first. */
  directory: Record<string, unknown>[];
}

const OWED = ["queued", "failed", "expired"];

async function ask(bridge: BridgeCaller): Promise<Status> {
  const [ready, connections, sync, failed, queued, directory] = await Promise.all([
    bridge.probe("/readyz"),
    bridge.get("/api/connections"),
    bridge.method("api.sync.get_sync_status"),
    bridge.method("api.sync.list_failed"),
    bridge.method("api.messages.list_queued"),
    bridge.method("api.directory.list_jobs"),
  ]);
  const data = recordOf(connections["data"]);
  return {
    problems: problemsIn(recordOf(ready["checks"])),
    figures: recordOf(data["figures"]),
    connections: recordsOf(data["connections"]),
    corrections: recordsOf(data["corrections"]),
    sessions: recordsOf(sync["sessions"]),
    failed: recordsOf(failed["items"]),
    sends: recordsOf(queued["orders"]).filter(({ status }) => OWED.includes(shown(status))),
    directory: recordsOf(directory["jobs"]),
  };
}

function problemsIn(checks: Record<string, unknown>): string[] {
  return [
    { name: "hub", part: recordOf(checks["hub"]) },
    { name: "CRM", part: recordOf(checks["crm"]) },
  ]
    .filter(({ part }) => part["ok"] === false)
    .map(({ name, part: { problem, advice } }) => {
      const what = `The ${name} cannot be used: ${shown(problem)}`;
      return typeof advice === "string" ? `${what.replace(/\.$/, "")}. ${advice}` : what;
    });
}

const shown = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "-";
/** `2026-01-31T10:00:00.000Z` → `2026-01-31 10:00` */
const moment = (value: unknown): string =>
  typeof value === "string" ? value.slice(0, 16).replace("T", " ") : "-";

/** What the last comparison of hub and CRM found, and how much of it was put right. */
function differences(comparison: Record<string, unknown>): string {
  if (comparison["at"] === undefined) return "-";
  const found = ["contacts", "chats", "messages"].reduce((sum, kind) => sum + Number(comparison[kind]), 0);
  return found === 0 ? "0" : `${found}, ${shown(comparison["repaired"])} repaired`;
}

const SHOWN_CORRECTIONS = 10;
const SHOWN_SENDS = 20;

/** Not to whom: a terminal is read by many. */
function printSends(sends: Record<string, unknown>[], say: (text: string) => void): void {
  const waiting = sends.filter(({ status }) => status === "queued").length;
  say(`\nSends: ${waiting} wait for the hub, ${sends.length - waiting} failed (api.messages.cancel_queued)`);
  say(
    textTable(
      ["id", "session", "status", "ordered", "until", "tries", "error"],
      sends
        .slice(0, SHOWN_SENDS)
        .map((one) => [
          shown(one["queue_id"]),
          shown(one["session"]),
          shown(one["status"]),
          moment(one["queued_at"]),
          moment(one["expires_at"]),
          shown(one["tries"]),
          shown(one["error"]),
        ]),
    ),
  );
}

function printDirectory(jobs: Record<string, unknown>[], say: (text: string) => void): void {
  const columns = [
    "job_id",
    "source",
    "status",
    "page",
    "total_pages",
    "created",
    "updated",
    "errors",
    "error",
  ];
  say("\nClient directory, newest pass first (retry with api.directory.retry_failed)");
  say(
    textTable(
      ["begun", ...columns],
      jobs.map((job) => [moment(job["started_at"]), ...columns.map((column) => shown(job[column]))]),
    ),
  );
}

function print(status: Status): void {
  const { problems, figures, connections, corrections, sessions, failed, sends, directory } = status;
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(
    `${shown(figures["total"])} accounts: ${shown(figures["connected"])} connected, ${shown(figures["inError"])} in error, ` +
      `${shown(figures["manuallyDisconnected"])} disconnected by a person, ${shown(figures["connectedLast24h"])} connected in the last 24 h\n`,
  );
  say(
    textTable(
      [
        "session",
        "status",
        "since",
        "reason",
        "last sync",
        "contacts",
        "chats",
        "messages",
        "job",
        "behind",
        "differences",
      ],
      connections.map((connection) => {
        const session = sessions.find((one) => one["session"] === connection["sessionId"]) ?? {};
        const job = recordOf(session["job"]);
        const isConnected = connection["status"] === "connected";
        return [
          shown(connection["sessionId"]),
          shown(connection["status"]),
          moment(connection[isConnected ? "lastConnectedAt" : "lastDisconnectedAt"]),
          isConnected ? "-" : shown(connection["lastDisconnectReason"]),
          moment(session["last_sync"]),
          shown(session["total_contacts"]),
          shown(session["total_chats"]),
          shown(session["total_messages"]),
          job["state"] === undefined ? "-" : `${shown(job["state"])} ${shown(job["progress"])} %`,
          shown(session["lag"]),
          differences(recordOf(connection["lastComparison"])),
        ];
      }),
    ),
  );
  const lost = recordsOf(figures["lastDisconnections"]);
  if (lost.length > 0) {
    say("\nLast disconnections");
    say(
      textTable(
        ["when", "session", "reason", "by"],
        lost.map((one) => [
          moment(one["at"]),
          shown(one["sessionId"]),
          shown(one["reason"]),
          shown(one["by"]),
        ]),
      ),
    );
  }
  if (corrections.length > 0) {
    say("\nLast corrections (hub and registry compared)");
    say(
      textTable(
        ["when", "session", "field", "from", "to"],
        corrections
          .slice(0, SHOWN_CORRECTIONS)
          .map((one) => [
            moment(one["at"]),
            shown(one["sessionId"]),
            shown(one["field"]),
            ...["from", "to"].map((side) => (one["field"] === "phoneNumber" ? "…" : shown(one[side]))),
          ]),
      ),
    );
  }
  if (sends.length > 0) printSends(sends, say);
  if (directory.length > 0) printDirectory(directory, say);
  if (failed.length > 0) {
    say("\nFailed (retry with api.sync.retry_failed)");
    say(
      textTable(
        ["kind", "id", "tries", "error"],
        failed.map((one) => [
          shown(one["kind"]),
          shown(one["id"]),
          shown(one["attempts"]),
          shown(one["error"]),
        ]),
      ),
    );
  }
  if (problems.length > 0) say(`\n${problems.map((problem) => `✖ ${problem}`).join("\n")}`);
}

await runCommand(
  new Command("npm run bridge:status --")
    .description(
      "what cannot be used, accounts, syncs, what failed, the client directory and how far the bridge is behind",
    )
    .option("--json", "answer for programs", false)
    .action(async ({ json }: { json: boolean }) => {
      const status = await ask(callBridge());
      if (json) process.stdout.write(`${JSON.stringify(status, null, 2)}\n`);
      else print(status);
      if (status.problems.length > 0) process.exitCode = 1;
    }),
);
