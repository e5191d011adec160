/** `rotate-key`: a new master key for everything that is sealed on disk. */
import type { Command } from "commander";
import { readConfig } from "../../hub/config.ts";
import { doneBy } from "../../hub/core/audit.ts";
import type { Bench } from "./desk.ts";
import { lines } from "./show.ts";
import { dataFolder, inPlainWords, silent, withStore } from "./stopped-hub.ts";

export function addMasterKey(program: Command, bench: Bench): void {
  program
    .command("rotate-key")
    .description(
      "makes a new master key and seals everything with it; a running hub does it by itself within a minute",
    )
    .action(async () => {
      const config = readConfig(bench.desk.env);
      const { rotateMasterKey } = await dataFolder();
      const rotation = await inPlainWords(rotateMasterKey(config, silent));
      if (rotation === null) {
        bench.show({
          data: { rotation },
          text: "The new key lies beside the old one; the running hub takes it over within a minute and says so in its log.",
        });
        return;
      }
      await withStore(bench.desk, (store) =>
        store.audit.append(
          doneBy("operator", "vault.master_key_rotated", bench.desk.now(), {
            details: { rewrapped: rotation.rewrapped },
          }),
        ),
      );
      bench.show({
        data: { rotation },
        text: lines(
          `${rotation.rewrapped} keys are sealed with the new master key. Keep a copy of it; the old one opens the backups from before.`,
          rotation.unreadable.length === 0
            ? null
            : `Could not be opened, and was left as it is: ${rotation.unreadable.join(", ")}.`,
        ),
        isProblem: rotation.unreadable.length > 0,
      });
    });
}
