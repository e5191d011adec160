/** Rows that are whole test files of their own (what the CRM, an API client or a receiver does wrong), run as rows. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { IN_EARNEST } from "./in-earnest.ts";
import type { FaultRow, RowOptions, RowResult } from "./row.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const VITEST = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().default(""),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).default([]),
        }),
      ),
    }),
  ),
});

type TestResult = z.infer<typeof reportSchema>["testResults"][number]["assertionResults"][number];

async function testsOf(files: string[], filter: string[], seed: string): Promise<TestResult[]> {
  if (files.length === 0) return [];
  const args = ["run", ...files.map((file) => `test/faults/${file}`), ...filter, "--reporter=json"];
  const child = spawn(process.execPath, [VITEST, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...IN_EARNEST, FAULT_SEED: seed },
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  await once(child, "close");
  const { testResults } = reportSchema.parse(JSON.parse(output.slice(output.indexOf("{"))));
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    // A file that could not be loaded has no tests to tell of.
    const isUnread = status === "failed" && assertionResults.length === 0;
    return isUnread
      ? [{ fullName: name, status, failureMessages: [message] }]
      : assertionResults.filter(wasRun);
  });
}

/**
 * A file named after the row is run whole, of others the tests that name it. Each test strikes once and judges loss and repetition
 * itself: what it finds is a problem here.
 */
async function run(
  id: string,
  files: string[],
  { tries, seed, say = () => undefined }: RowOptions,
): Promise<RowResult> {
  const result: RowResult = {
    tried: 0,
    lost: 0,
    doubled: 0,
    recoveredMs: null,
    ordinaryMs: null,
    problems: [],
  };
  const isOwn = (file: string): boolean => file.startsWith(`${id.toLowerCase()}-`);
  const [own, shared] = [files.filter(isOwn), files.filter((file) => !isOwn(file))];
  for (let n = 0; n < tries; n++) {
    const tests = [
      ...(await testsOf(own, [], `${seed} ${n}`)),
      ...(await testsOf(shared, ["-t", `\\b${id}\\b`], `${seed} ${n}`)),
    ];
    result.tried += tests.length;
    for (const { fullName, status, failureMessages } of tests)
      if (status !== "passed")
        result.problems.push(`${fullName}: ${failureMessages[0]?.split("\n")[0] ?? status}`);
    say(`${tests.length} tests`);
  }
  return result;
}

const wasRun = ({ status }: { status: string }): boolean => status === "passed" || status === "failed";

const row = (id: string, title: string, ...files: string[]): FaultRow => ({
  id,
  title,
  tries: 1,
  manyTries: 1,
  run: (options) => run(id, files, options),
});

export const TESTED_ROWS: FaultRow[] = [
  row(
    "C13",
    "backup, restore, migration, rotation, quarantine, import killed at every step",
    "c13-half-done.long.test.ts",
    "c13-put-back.long.test.ts",
  ),
  row("C15", "asked to end under load, and killed when it takes too long", "c-ends.long.test.ts"),
  row("C16", "abort(), a foreign rejection, no memory left, a Boom of the library", "c-ends.long.test.ts"),
  row("C17", "stopped for longer than a webhook may take, and continued", "c-frozen.long.test.ts"),
  row("C18", "a second hub on the folder, four at once, a cluster", "c-second-hub.long.test.ts"),
  row("D1", "the CRM answers 500 for an hour", "d-outages.test.ts"),
  row("D3", "one event is refused, the others are not", "d-refusals.test.ts"),
  row("D6", "a name that does not resolve, and a hub that is offline itself", "d-unreached.test.ts"),
  row("D8", "the CRM never answers, drips headers, drips its body", "d-bad-peers.test.ts"),
  row("D9", "a 2xx with an endless body", "d-bad-peers.test.ts"),
  row("D10", "redirects to a metadata address, another host, in a loop", "d-bad-peers.test.ts"),
  row("A2", "bodies too large, bombs, endless chunks, lengths that lie", "a-oversized-requests.test.ts"),
  row("A5", "the same Idempotency-Key fifty times at once, and over a crash", "a-idempotency.test.ts"),
  row("A11", "all that is dead, ordered again many times at once", "a-replays.test.ts"),
  row("B1", "the same webhook a hundred times at once", "b-webhooks.test.ts"),
  row("B2", "webhooks in any order, a state before its message", "b-webhooks.test.ts"),
  row(
    "B3",
    "the bridge killed in a webhook, in a sync, while it writes its memory",
    "b-bridge-kills.long.test.ts",
    "b-state-kills.long.test.ts",
  ),
  row(
    "B4",
    "the CRM is away, failing, slow, silent, limited, for an hour; its file is held by another program",
    "b4-endless-answers.test.ts",
    "b4-frappe.long.test.ts",
    "b4-http-records.test.ts",
    "b4-http.test.ts",
    "b-crm-trouble.test.ts",
    "b-hour-away.long.test.ts",
  ),
  row("B5", "signatures that are wrong, old, of other bytes", "b-signatures.test.ts"),
  row("B6", "a secret is replaced", "b-signatures.test.ts"),
  row("B7", "the CRM's clock is six minutes off", "b-signatures.test.ts"),
  row("B8", "events that no CRM could take", "b-webhooks.test.ts", "b-poison.test.ts"),
  row("B9", "the CRM's background queue is down", "b-crm-trouble.test.ts"),
  row(
    "B10",
    "the hub tells 10,000 events again, 100,000 with `npm run faults`",
    "b-lost-records.long.test.ts",
  ),
  row("B11", "records deleted by hand, the bridge's memory deleted", "b-lost-records.long.test.ts"),
  row("B12", "a send that times out is repeated", "b-hub-trouble.long.test.ts"),
  row("B13", "two bridges on one hub, a hub restored from an older backup", "b-hub-trouble.long.test.ts"),
  row("B14", "the hub is away", "b14-hub-away.long.test.ts"),
  row("W3", "the offline batch is never closed", "w-watchdog.test.ts"),
  row("W4", "history cut off in the middle, twice, in another order", "w-history.test.ts"),
  row("W6", "messages that cannot be read, for each reason there is", "w-unreadable.test.ts"),
  row("W7", "a message that could not be read comes after a restart", "w-unreadable.test.ts"),
  row("W8", "a session restored from an old backup", "w-restored.test.ts", "w-put-back.test.ts"),
  row(
    "W9",
    "one session's login damaged, gone, or without its key; some of its keys damaged",
    "w-cleanup.test.ts",
    "w-damaged-keys.test.ts",
    "w-put-back.test.ts",
  ),
  row("W10", "one login in two programs", "w-logins.test.ts"),
  row("W11", "an address changes in mid-conversation", "w-content.test.ts"),
  row("W12", "live, in a batch, typed on the phone while the hub is down", "w-traffic.long.test.ts"),
  row("W13", "a change comes before its message", "w-content.test.ts"),
  row("W14", "messages like none before", "w-content.test.ts"),
  row("W15", "nothing comes over an open connection any more", "w-watchdog.test.ts"),
  row("W17", "files that are gone, damaged, cut off, far too big", "w-media.test.ts"),
  row(
    "W18",
    "the event loop stands still, is late for long",
    "w-watchdog.test.ts",
    "w-overload.long.test.ts",
  ),
  row("W19", "group messages in any order, over several connections", "w-traffic.long.test.ts"),
  row("W20", "the way to WhatsApp refuses, or takes and says nothing", "w-watchdog.test.ts"),
  row("W21", "queries are answered, messages are withheld", "w-watchdog.test.ts"),
  row("W22", "the line is down for 2, 10 and 20 seconds", "w-drops.test.ts"),
  row("W23", "a number that another session has, scanned or imported", "w-logins.test.ts"),
  row("W24", "force-cleanup on a healthy, a hung, a logged-out session, and its undo", "w-cleanup.test.ts"),
  row(
    "O2",
    "the disk fails every write, becomes read-only, is somebody else's",
    "o-starved.long.test.ts",
    "o-readonly.long.test.ts",
    "o-permissions.long.test.ts",
  ),
  row(
    "O3",
    "the database is damaged, cut short, or without its log",
    "o-damaged.test.ts",
    "o-damaged-large.long.test.ts",
  ),
  row(
    "O4",
    "the clock is moved back, forward, for the summer, a little at a time",
    "o-clock.test.ts",
    "o-bridge-clock.test.ts",
  ),
  row(
    "O5",
    "no file may be opened any more, no memory, no processor is given",
    "o-starved.long.test.ts",
    "o-memory.long.test.ts",
  ),
  row("O6", "somebody else holds the database", "o-starved.long.test.ts"),
  row("O8", "last night's backup is restored", "o8-restored.test.ts"),
  row("M1", "WhatsApp's word on a message is lost, a receipt proves it", "m-lost-words.test.ts"),
  row(
    "M2",
    "refused with 463, with 479; restricted, and used up in the middle of many",
    "m-refusals.test.ts",
  ),
  row("M3", "receipts out of order, twice, late, 5,000 ids in one", "m-receipts.test.ts"),
  row("M4", "killed after a send was accepted, relayed, acknowledged", "m-killed-sends.long.test.ts"),
  row("M5", "a message is asked for again after a restart, and one nobody knows", "m-asked-again.test.ts"),
];
