/** `backup`, `backups`, `restore`: copies of the hub's data, made at any time, put back while it is stopped. */
import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { readConfig } from "../../hub/config.ts";
import { doneBy } from "../../hub/core/audit.ts";
import type { BackupHead } from "../../hub/store/backups/container.ts";
import { CommandError, UsageError } from "./command-error.ts";
import type { Bench } from "./desk.ts";
import { bytes, lines, moment, table } from "./show.ts";
import { dataFolder, enterUnlessRunning, inPlainWords, silent, withStore } from "./stopped-hub.ts";

export function addBackups(program: Command, bench: Bench): void {
  program
    .command("backup")
    .description("makes a sealed copy of the database now, also while the hub runs")
    .action(async () => {
      const { backupNow } = await dataFolder();
      const head = await inPlainWords(backupNow(readConfig(bench.desk.env), silent));
      await enterUnlessRunning(
        bench.desk,
        doneBy("operator", "backup.made", bench.desk.now(), {
          target: head.name,
          details: { bytes: head.bytes },
        }),
      );
      bench.show({
        data: shown(head),
        text: `${head.name} (${bytes(head.bytes)}) is made and checked. Copy it to another machine, and keep the master key in a third place.`,
      });
    });
  program
    .command("backups")
    .description("all copies there are, newest first")
    .action(async () => {
      const { listBackups } = await dataFolder();
      const all = (await listBackups(readConfig(bench.desk.env))).map(shown);
      bench.show({
        data: { backups: all },
        text:
          all.length === 0
            ? "There is no backup yet. The hub makes one every hour; npm run hub -- backup makes one now."
            : table(all, {
                made: ({ at }) => moment(at),
                backup: "name",
                kind: "kind",
                size: ({ bytes: size }) => bytes(Number(size)),
              }),
      });
    });
  program
    .command("restore")
    .description("puts a backup in the database's place; the hub must be stopped. With --yes does it")
    .argument("<backup>", "name from the list of backups, or the path of a file")
    .option("--older-key-file <file>", "a file with the master key of that time, if the hub no longer has it")
    .option("--yes", "do it", false)
    .action(async (backup: string, { olderKeyFile, yes }: { olderKeyFile?: string; yes: boolean }) => {
      const config = readConfig(bench.desk.env);
      if (!yes) throw new CommandError(WARNING);
      const order = { backup, ...(olderKeyFile === undefined ? {} : { olderKey: keyIn(olderKeyFile) }) };
      const { restoreBackup } = await dataFolder();
      const restored = await inPlainWords(restoreBackup(config, order, silent));
      const { name } = restored.backup;
      await withStore(bench.desk, (store) =>
        store.audit.append(
          doneBy("operator", "backup.restored", bench.desk.now(), {
            target: name,
            details: { aside: restored.aside },
          }),
        ),
      );
      bench.show({
        data: { backup: shown(restored.backup), aside: restored.aside },
        text: lines(
          `${name} is in place.`,
          restored.aside === null
            ? null
            : `The database from before is kept as ${restored.aside}; remove it when all is well.`,
          "Start the hub. CRMs that follow its events notice the restore and read everything again.",
        ),
      });
    });
}

const WARNING = [
  "Nothing was done yet. A restore takes the hub back to that hour: what came later is in the database that is kept aside.",
  "Sessions that were used since go on with new keys when they are connected. Stop the hub first, then add --yes.",
].join("\n");

/** From a file: what stands on a command line can be read by everybody on the machine. */
function keyIn(file: string): string {
  if (!existsSync(file)) throw new UsageError(`There is no file ${file}.`);
  return readFileSync(file, "utf8").trim();
}

/** Without the sealed key. */
const shown = ({ name, kind, at, schema, bytes: size }: BackupHead) => ({
  name,
  kind,
  at,
  schema,
  bytes: size,
});
