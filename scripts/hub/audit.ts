/** `audit`: who did what, from the running hub; and whether the chain is whole, from the files of a stopped one. */
import type { Command } from "commander";
import type { AuditVerdict } from "../../hub/core/audit.ts";
import type { Bench } from "./desk.ts";
import { recordOf, recordsOf, type Json } from "./hub-calls.ts";
import { cell, moment, table } from "./show.ts";
import { withStore } from "./stopped-hub.ts";

export function addAudit(program: Command, bench: Bench): void {
  const audit = program.command("audit").description("who did what to the hub");
  audit
    .command("list", { isDefault: true })
    .description("the newest entries, newest first")
    .action(async () => {
      const { entries } = await bench.hub().get("/api/audit?limit=50");
      bench.show({ data: { entries }, text: listOf(recordsOf(entries)) });
    });
  audit
    .command("verify")
    .description("looks for entries that were changed, moved or taken out (the hub must be stopped)")
    .action(async () => {
      const verdict = await withStore(bench.desk, (store) => store.audit.verify());
      bench.show({ data: verdict, text: textOfVerdict(verdict), isProblem: !verdict.intact });
    });
}

const listOf = (entries: Json[]): string =>
  table(entries, {
    when: ({ at }) => moment(at),
    who: ({ actor, actorName }) => cell(actorName ?? actor),
    what: "action",
    target: "target",
    outcome: "outcome",
    details: ({ details }) => told(recordOf(details)),
  });

/** The request id leads to the log, and is there for programs. */
const told = (details: Json): string =>
  cell(
    Object.entries(details)
      .filter(([name]) => name !== "requestId")
      .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
      .join(", "),
  );

/** With the last hash, so that it can be kept elsewhere: whoever can write all files can also write a new chain. */
const textOfVerdict = (verdict: AuditVerdict): string =>
  verdict.intact
    ? `The audit log is whole: ${verdict.rows} entries, ${verdict.first} to ${verdict.last.n}.\nLast hash: ${verdict.last.hash}`
    : `The audit log was tampered with: ${verdict.problem}.\nCompare with a backup from before; entries up to ${verdict.n - 1} are as they were written.`;
