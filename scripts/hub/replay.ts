/** `replay`: sends finished deliveries again. Counts them first; with `--yes` it orders the job. */
import { InvalidArgumentError, type Command } from "commander";
import { UsageError } from "./command-error.ts";
import type { Bench } from "./desk.ts";
import { numberOf, recordsOf, type Json } from "./hub-calls.ts";
import { cell, moment, table } from "./show.ts";

interface Options {
  endpoint?: string;
  session?: string;
  chat?: string;
  state?: string;
  event?: string;
  since?: string;
  until?: string;
  afterSeq?: number;
  yes: boolean;
  progress: boolean;
}

export function addReplay(program: Command, bench: Bench): void {
  program
    .command("replay")
    .description(
      "sends deliveries again that match all that is given; shows how many, and with --yes does it",
    )
    .option("--endpoint <id>", "of this endpoint")
    .option("--session <name>", "of this session")
    .option("--chat <id>", "of this chat")
    .option("--state <state>", "dead (parked), delivered, skipped or dismissed")
    .option("--event <name>", "of this kind, as message.received")
    .option("--since <time>", "of events from then on (ISO 8601)")
    .option("--until <time>", "of events before then (ISO 8601)")
    .option("--after-seq <seq>", "of events after this number", wholeNumber)
    .option("--yes", "do it", false)
    .option("--progress", "how far earlier orders are, newest first", false)
    .action(async (options: Options) => {
      if (options.progress) {
        const { replays } = await bench.hub().get("/api/deliveries/replays?limit=20");
        const rows = recordsOf(replays);
        bench.show({
          data: { replays: rows },
          text: rows.length === 0 ? "Nothing was sent again by a filter so far." : progressOf(rows),
        });
        return;
      }
      const filter = filterOf(options);
      if (Object.keys(filter).length === 0)
        throw new UsageError(
          "Say which deliveries, for example --state dead. All of them at once is never meant.",
        );
      const hub = bench.hub();
      const dry = await hub.send("POST", "/api/deliveries/replay", { ...filter, dryRun: true });
      const matched = numberOf(dry["matched"]);
      if (!options.yes || matched === 0) {
        bench.show({ data: { filter, matched, job: null }, text: counted(matched) });
        return;
      }
      const { job } = await hub.send("POST", "/api/deliveries/replay", filter);
      bench.show({
        data: { filter, matched, job },
        text: `${matched} deliveries are being sent again (${cell(job)}). Progress: npm run hub -- replay --progress`,
      });
    });
}

function filterOf({
  endpoint,
  session,
  chat,
  state,
  event,
  since,
  until,
  afterSeq,
}: Options): Record<string, unknown> {
  const filter = {
    endpointId: endpoint,
    sessionId: session,
    chatId: chat,
    state,
    event,
    since,
    until,
    afterSeq,
  };
  const named = Object.entries(filter).filter(([, value]) => value !== undefined);
  // What a script left unset must not widen the choice.
  const empty = named.find(([, value]) => value === "")?.[0];
  if (empty !== undefined) throw new UsageError(`${empty} is empty: leave it out, or say which.`);
  return Object.fromEntries(named);
}

const progressOf = (rows: Json[]): string =>
  table(rows, {
    job: "job",
    state: "state",
    "sent again": (row) => `${numberOf(row["replayed"])} of ${numberOf(row["matched"])}`,
    began: (row) => moment(row["startedAt"]),
    ended: (row) => moment(row["finishedAt"]),
    which: "filter",
  });

const counted = (matched: number): string =>
  matched === 0
    ? "No delivery matches."
    : `${matched} deliveries match. Nothing was sent; add --yes to send them again, with the same webhook-id.`;

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("use a whole number");
  return Number(text);
}
