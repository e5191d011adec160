/** `drill`: tries a backup out, as a restore would use it, without touching the hub. Beside a running hub, and without one. */
import type { Command } from "commander";
import { readConfig } from "../../hub/config.ts";
import type { Bench } from "./desk.ts";
import { keyIn } from "./key-file.ts";
import { bytes, duration, lines, table } from "./show.ts";
import { inPlainWords } from "./stopped-hub.ts";

export function addDrill(program: Command, bench: Bench): void {
  program
    .command("drill")
    .description(
      "tries out whether a backup could be restored; changes nothing of the hub, whether it runs or not",
    )
    .argument("[backup]", "name from the list of backups, or the path of a file; left out: the newest")
    .option("--older-key-file <file>", "a file with the master key of that time, if the hub no longer has it")
    .action(async (backup: string | undefined, { olderKeyFile }: { olderKeyFile?: string }) => {
      // Loaded when it is asked for, because it brings the WhatsApp library along.
      const { drillBackup } = await import("../../hub/safekeeping/drill.ts");
      const named = {
        ...(backup === undefined ? {} : { backup }),
        ...(olderKeyFile === undefined ? {} : { olderKey: keyIn(olderKeyFile) }),
      };
      const { backup: head, steps, ms } = await inPlainWords(drillBackup(readConfig(bench.desk.env), named));
      const { name, at, bytes: size } = head;
      const ok = steps.every((step) => step.ok);
      const age = duration(bench.desk.now().getTime() - Date.parse(at));
      bench.show({
        data: { ok, backup: name, at, bytes: size, steps, ms },
        text: lines(
          `${name}, made ${age} ago, ${bytes(size)}`,
          table(
            steps.map((step) => ({ ...step })),
            {
              "": ({ ok: isOk }) => (isOk === true ? "✔" : "✖"),
              tried: "step",
              found: ({ detail }) => String(detail),
            },
          ),
          "",
          ok
            ? `It could be restored (tried in ${(ms / 1000).toFixed(1)} s).`
            : "It could not be restored as it should: try an older one (npm run hub -- backups), and make a new one.",
        ),
        isProblem: !ok,
      });
    });
}
