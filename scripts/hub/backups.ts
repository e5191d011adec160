/** `backup`, `backups`, `restore`: copies of the hub's data, made at any time, put back while it is stopped. */
import type { Command } from "commander";
import { readConfig } from "../../hub/config.ts";
import { doneBy } from "../../hub/core/audit.ts";
import type { BackupHead } from "../../hub/store/backups/container.ts";
import { enterManualBackups } from "../../hub/store/backups/manual.ts";
import { CommandError } from "./command-error.ts";
import type { Bench } from "./desk.ts";
import { keyIn } from "./key-file.ts";
import { accessIn, accessText, shutOut, shutOutText } from "./restored-access.ts";
import { bytes, lines, moment, table } from "./show.ts";
import { dataFolder, unlessRunning, inPlainWords, silent, withStore } from "./stopped-hub.ts";

interface RestoreOptions {
  olderKeyFile?: string;
  shutOut: boolean;
  yes: boolean;
}

export function addBackups(program: Command, bench: Bench): void {
  program
    .command("backup")
    .description("makes a sealed copy of the database now, also while the hub runs")
    .action(async () => {
      const { backupNow } = await dataFolder();
      const config = readConfig(bench.desk.env);
      const head = await inPlainWords(backupNow(config, silent));
      const { dataDir } = config;
      await unlessRunning(bench.desk, ({ audit, marks }) =>
        enterManualBackups({ dataDir, audit, marks, now: new Date(head.at) }),
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
    .option("--shut-out", "revokes all keys and disables all users that the backup brings back", false)
    .option("--yes", "do it", false)
    .action(async (backup: string, { olderKeyFile, shutOut: isShut, yes }: RestoreOptions) => {
      const config = readConfig(bench.desk.env);
      if (!yes) throw new CommandError(WARNING);
      const order = { backup, ...(olderKeyFile === undefined ? {} : { olderKey: keyIn(olderKeyFile) }) };
      const { restoreBackup } = await dataFolder();
      const restored = await inPlainWords(restoreBackup(config, order, silent));
      const { name } = restored.backup;
      const access = await withStore(bench.desk, async (store) => {
        await store.audit.append(
          doneBy("operator", "backup.restored", bench.desk.now(), {
            target: name,
            details: { aside: restored.aside },
          }),
        );
        if (isShut) await shutOut(store, bench.desk.now());
        return accessIn(store, bench.desk.now());
      });
      bench.show({
        data: { backup: shown(restored.backup), aside: restored.aside, access },
        text: lines(
          `${name} is in place.`,
          restored.aside === null
            ? null
            : `The database from before is kept as ${restored.aside}; remove it when all is well.`,
          isShut ? shutOutText(access) : accessText(access, restored.backup.at),
          "Start the hub. CRMs that follow its events notice the restore and read everything again.",
        ),
      });
    });
}

const WARNING = [
  "Nothing was done yet. A restore takes the hub back to that hour: what came later is in the database that is kept aside.",
  "Sessions that were used since go on with new keys when they are connected. Stop the hub first, then add --yes.",
].join("\n");

/** Without the sealed key. */
const shown = ({ name, kind, at, schema, bytes: size }: BackupHead) => ({
  name,
  kind,
  at,
  schema,
  bytes: size,
});
