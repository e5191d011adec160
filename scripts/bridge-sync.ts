/** `npm run bridge:sync -- <session> [--full]`: syncs one account now, shows how far it is, and what it brought. */
import { setTimeout as pause } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import { callBridge, recordOf, recordsOf, type BridgeCaller } from "./bridge-caller.ts";
import { runCommand } from "./bridge-command.ts";
import { textTable } from "./text-table.ts";

const EVERY_MS = 1_000;
/** So long no answer may come to how far the sync is: a bridge that is started anew goes on with it. */
const PATIENCE_MS = 15_000;
/** So long a sync may wait before the command leaves it to the bridge: longer than between two tries of one. */
const WAIT_SECONDS = 90;
const BAR_WIDTH = 30;
const GOES_ON = "The sync goes on in the bridge; `npm run bridge:status` shows how far it is.";
/** As a shell says of what Ctrl-C ended. */
const INTERRUPTED = 130;

type Job = Record<string, unknown>;

const isOver = (job: Job): boolean => job["status"] === "done" || job["status"] === "failed";
const isWaiting = (job: Job): boolean => typeof job["waits_because"] === "string";
const number = (value: unknown): number => (typeof value === "number" ? value : 0);

function line(job: Job): string {
  const percent = number(job["progress"]);
  const full = Math.round((percent / 100) * BAR_WIDTH);
  const bar = "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
  const eta = typeof job["eta_seconds"] === "number" ? `  ${job["eta_seconds"]} s left` : "";
  const isCounted = number(job["total"]) > 0 && !isOver(job);
  const count = isCounted ? ` ${number(job["done"])}/${number(job["total"])}` : "";
  const what = isOver(job) || isWaiting(job) ? String(job["status"]) : String(job["step"]);
  return `${bar} ${String(percent).padStart(3)} %  ${what}${count}${eta}`;
}

/** Says once why the sync waits. @throws Error when it has waited too long for somebody to wait with it */
function createPatience(waitMs: number, say: (text: string) => void): (job: Job) => void {
  let since: number | null = null;
  let said: unknown = null;
  return (job) => {
    const why = job["waits_because"];
    if (typeof why !== "string") {
      since = null;
      return;
    }
    since ??= performance.now();
    if (why !== said) say(`The sync waits: ${why}`);
    said = why;
    if (performance.now() - since > waitMs)
      throw new StillWaiting(
        `The sync waits still: ${why}\nOnce that is mended, it begins by itself. ${GOES_ON}`,
      );
  };
}
class StillWaiting extends Error {}

/** Asks until the job is over; draws only where someone can see it move. */
async function follow(
  bridge: BridgeCaller,
  jobId: unknown,
  { isShown, waitMs }: { isShown: boolean; waitMs: number },
): Promise<Job> {
  let answeredAt = performance.now();
  const haveTime = createPatience(waitMs, (text) =>
    process.stderr.write(`${isShown ? "\r\u001B[K" : ""}${text}\n`),
  );
  for (;;) {
    try {
      const job = recordOf((await statusOf(bridge, jobId, { totals: false }))["job"]);
      answeredAt = performance.now();
      haveTime(job);
      if (isShown) process.stderr.write(`\r\u001B[K${line(job)}`);
      if (isOver(job)) {
        if (isShown) process.stderr.write("\n");
        return job;
      }
    } catch (error) {
      if (error instanceof StillWaiting || performance.now() - answeredAt > PATIENCE_MS) throw error;
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

interface Options {
  full: boolean;
  json: boolean;
  wait: number;
}

async function sync(session: string, { full, json, wait }: Options): Promise<void> {
  const bridge = callBridge();
  const started = await bridge.method("api.sync.sync_session_complete", { session_name: session, full });
  if (started["success"] !== true) throw new Error(String(started["message"]));
  process.once("SIGINT", () => {
    process.stderr.write(`\n${GOES_ON}\n`);
    process.exit(INTERRUPTED);
  });
  const job = await follow(bridge, started["job_id"], {
    isShown: process.stderr.isTTY && !json,
    waitMs: wait * 1000,
  });
  if (json) process.stdout.write(`${JSON.stringify(job)}\n`);
  else {
    process.stdout.write(`${result(job)}\n\n`);
    const held = await statusOf(bridge, started["job_id"], { totals: true });
    process.stdout.write(`${totals(held)}\n`);
  }
  if (job["status"] !== "done")
    throw new Error(`The sync is ${String(job["state"])}: ${String(job["error"])}`);
}

function seconds(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("use a whole number.");
}

await runCommand(
  new Command("npm run bridge:sync --")
    .description("syncs one account now, shows how far it is, and what it brought")
    .argument("<session>", "id or name of the session")
    .option("--full", "all of it, not only what changed since the last sync", false)
    .option("--wait <seconds>", "how long to wait for a sync that cannot begin", seconds, WAIT_SECONDS)
    .option("--json", "answer for programs", false)
    .action(sync),
);
