/** `npm run bridge:sync -- <session> [--full]`: syncs one account now, shows how far it is, and what it brought. */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { callBridge, command, recordOf, recordsOf, type BridgeCaller } from "./bridge-caller.ts";
import { textTable } from "./text-table.ts";

const EVERY_MS = 1_000;
/** So long no answer may come to how far the sync is: a bridge that is started anew goes on with it. */
const PATIENCE_MS = 15_000;
const BAR_WIDTH = 30;

const given = () =>
  parseArgs({
    allowPositionals: true,
    options: {
      /** All of it, not only what changed since the last sync. */
      full: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });

type Job = Record<string, unknown>;

const isOver = (job: Job): boolean => job["status"] === "done" || job["status"] === "failed";
const number = (value: unknown): number => (typeof value === "number" ? value : 0);

function line(job: Job): string {
  const percent = number(job["progress"]);
  const full = Math.round((percent / 100) * BAR_WIDTH);
  const bar = "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
  const eta = typeof job["eta_seconds"] === "number" ? `  ${job["eta_seconds"]} s left` : "";
  return `${bar} ${String(percent).padStart(3)} %  ${String(job["step"])} ${number(job["done"])}/${number(job["total"])}${eta}`;
}

/** Asks until the job is over; draws only where someone can see it move. */
async function follow(bridge: BridgeCaller, jobId: unknown, isShown: boolean): Promise<Job> {
  let answeredAt = performance.now();
  for (;;) {
    try {
      const job = recordOf((await statusOf(bridge, jobId, { totals: false }))["job"]);
      answeredAt = performance.now();
      if (isShown) process.stderr.write(`\r\u001B[K${line(job)}`);
      if (isOver(job)) {
        if (isShown) process.stderr.write("\n");
        return job;
      }
    } catch (error) {
      if (performance.now() - answeredAt > PATIENCE_MS) throw error;
    }
    await pause(EVERY_MS);
  }
}

/** `totals`: the CRM counts what it holds, which a large one does not do every second. */
async function statusOf(bridge: BridgeCaller, jobId: unknown, { totals }: { totals: boolean }): Promise<Job> {
  const { sessions } = await bridge.method("api.sync.get_sync_status", { job_id: jobId, totals });
  return recordsOf(sessions)[0] ?? {};
}

function result(job: Job): string {
  const kinds = ["contacts", "chats", "messages"].map((kind) => {
    const tally = recordOf(job[kind]);
    return [
      kind,
      ...["processed", "created", "updated", "unchanged", "errors"].map((name) => number(tally[name])),
    ];
  });
  return textTable(["", "processed", "created", "updated", "unchanged", "errors"], kinds);
}

const totals = (held: Job): string =>
  `In the CRM now: ${number(held["total_contacts"])} contacts, ${number(held["total_chats"])} chats, ` +
  `${number(held["total_messages"])} messages.`;

await command(async () => {
  const {
    positionals: [session],
    values: options,
  } = given();
  if (session === undefined) throw new Error("Name the session: npm run bridge:sync -- <session> [--full]");
  const bridge = callBridge();
  const started = await bridge.method("api.sync.sync_session_complete", {
    session_name: session,
    full: options.full,
  });
  if (started["success"] !== true) throw new Error(String(started["message"]));
  const job = await follow(bridge, started["job_id"], process.stderr.isTTY && !options.json);
  if (options.json) process.stdout.write(`${JSON.stringify(job)}\n`);
  else {
    process.stdout.write(`${result(job)}\n\n`);
    const held = await statusOf(bridge, started["job_id"], { totals: true });
    process.stdout.write(`${totals(held)}\n`);
  }
  if (job["status"] !== "done")
    throw new Error(`The sync is ${String(job["state"])}: ${String(job["error"])}`);
});
