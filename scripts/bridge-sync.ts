/** `npm run bridge:sync -- <session>`: syncs one account now, shows how far it is, and what it brought. */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { callBridge, command, recordOf, recordsOf, type BridgeCaller } from "./bridge-caller.ts";
import { textTable } from "./text-table.ts";

const EVERY_MS = 250;
const BAR_WIDTH = 30;

const {
  positionals: [session],
  values: options,
} = parseArgs({ allowPositionals: true, options: { json: { type: "boolean", default: false } } });

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
async function follow(bridge: BridgeCaller, jobId: unknown): Promise<{ job: Job; held: Job }> {
  const isShown = process.stderr.isTTY && !options.json;
  for (;;) {
    const { sessions } = await bridge.method("api.sync.get_sync_status", { job_id: jobId });
    const [held = {}] = recordsOf(sessions);
    const job = recordOf(held["job"]);
    if (isShown) process.stderr.write(`\r\u001B[K${line(job)}`);
    if (isOver(job)) {
      if (isShown) process.stderr.write("\n");
      return { job, held };
    }
    await pause(EVERY_MS);
  }
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
  if (session === undefined) throw new Error("Name the session: npm run bridge:sync -- <session>");
  const bridge = callBridge();
  const started = await bridge.method("api.sync.sync_session_complete", { session_name: session });
  if (started["success"] !== true) throw new Error(String(started["message"]));
  const { job, held } = await follow(bridge, started["job_id"]);
  process.stdout.write(options.json ? `${JSON.stringify(job)}\n` : `${result(job)}\n\n${totals(held)}\n`);
  if (job["status"] !== "done")
    throw new Error(`The sync is ${String(job["state"])}: ${String(job["error"])}`);
});
