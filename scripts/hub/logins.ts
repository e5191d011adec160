/** `import`, `export`: logins from and for other programs that keep them as Baileys' folder of files. The hub must be stopped. */
import type { Command } from "commander";
import { readConfig } from "../../hub/config.ts";
import { doneBy } from "../../hub/core/audit.ts";
import { CommandError } from "./command-error.ts";
import type { Bench } from "./desk.ts";
import { lines, table } from "./show.ts";
import { dataFolder, inPlainWords, silent, withStore } from "./stopped-hub.ts";

export function addLogins(program: Command, bench: Bench): void {
  program
    .command("import")
    .description(
      "takes logins of another program over: one folder with a creds.json, or a folder of such folders",
    )
    .argument("<folder>", "where they lie; the other program must be stopped for good")
    .option("--session <name>", "name of the session, for one login; left out: the folder's name")
    .option("--connect", "connect them at the next start of the hub", false)
    .action(async (from: string, { session, connect }: { session?: string; connect: boolean }) => {
      const order = { from, connect, ...(session === undefined ? {} : { sessionId: session }) };
      const { importLogins } = await dataFolder();
      const imported = await inPlainWords(importLogins(readConfig(bench.desk.env), order, silent));
      const taken = imported.filter(({ refused }) => refused === null);
      await note(
        bench,
        taken.map(({ sessionId }) => ["login.imported", sessionId]),
      );
      bench.show({
        data: { imported },
        text: lines(
          table(
            imported.map((one) => ({ ...one })),
            {
              folder: "from",
              session: "sessionId",
              keys: "keys",
              unreadable: "unreadable",
              "not taken because": "refused",
            },
          ),
          "",
          `${taken.length} of ${imported.length} taken over.`,
          taken.length > 0 && !connect
            ? "Start the hub, then connect them: npm run hub -- fix-session NAME --yes"
            : null,
        ),
        isProblem: taken.length < imported.length,
      });
    });
  program
    .command("export")
    .description(
      "writes the login of a session for another program; the session is stopped here. With --yes does it",
    )
    .argument("<session>", "name of the session")
    .argument("<folder>", "a new folder; it will hold the account unsealed")
    .option("--yes", "do it", false)
    .action(async (sessionId: string, to: string, { yes }: { yes: boolean }) => {
      if (!yes) throw new CommandError(WARNING);
      const { exportLogin } = await dataFolder();
      const written = await inPlainWords(exportLogin(readConfig(bench.desk.env), { sessionId, to }, silent));
      await note(bench, [["login.exported", sessionId]]);
      const leftOut = textOfLeftOut(written.unreadable);
      bench.show({
        data: { sessionId, folder: to, ...written },
        text: lines(
          `The login of ${sessionId} is in ${to}. Whoever reads that folder has the account: move it, then remove it here.`,
          leftOut,
        ),
        isProblem: leftOut !== null,
      });
    });
}

/** By kind alone: the names of keys are numbers of people. */
function textOfLeftOut(unreadable: Record<string, number>): string | null {
  const kinds = Object.entries(unreadable);
  if (kinds.length === 0) return null;
  const count = kinds.reduce((sum, [, each]) => sum + each, 0);
  return lines(
    `${count} ${count === 1 ? "key" : "keys"} could not be opened and ${count === 1 ? "was" : "were"} left out: ` +
      `${kinds.map(([kind, each]) => `${kind} ${each}`).join(", ")}.`,
    "The login works without them: the session with a person, or the key of a group, is made anew by a retry, and a first " +
      "message may come a little later.",
    "app-state-sync-key" in unreadable
      ? "Without an app-state-sync-key, chats archived, pinned or muted on the phone may not follow there."
      : null,
  );
}

const note = (bench: Bench, done: [action: string, target: string][]): Promise<void> =>
  withStore(bench.desk, async (store) => {
    for (const [action, target] of done)
      await store.audit.append(doneBy("operator", action, bench.desk.now(), { target }));
  });

const WARNING = [
  "Nothing was done yet. The folder will hold the account unsealed, and the session stops here: a login used in two places is thrown out.",
  "Add --yes to do it.",
].join("\n");
