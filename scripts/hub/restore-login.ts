/** `restore-login`: the login of one session put back from a copy, while all else stays. Without a copy it lists those there are. */
import type { Command } from "commander";
import { readConfig } from "../../hub/config.ts";
import { doneBy } from "../../hub/core/audit.ts";
import type { LoginCopy, PutBack } from "../../hub/safekeeping/login-copies.ts";
import { CommandError } from "./command-error.ts";
import type { Bench } from "./desk.ts";
import { keyIn } from "./key-file.ts";
import { duration, lines, table } from "./show.ts";
import { inPlainWords, silent, withStore } from "./stopped-hub.ts";

/** Loaded when it is asked for, because it brings the WhatsApp library along. */
const loginCopies = () => import("../../hub/safekeeping/login-copies.ts");

interface Options {
  older: boolean;
  olderKeyFile?: string;
  yes: boolean;
}

export function addRestoreLogin(program: Command, bench: Bench): void {
  program
    .command("restore-login")
    .description(
      "puts the login of one session back from a copy; the hub must be stopped. Without a copy lists those there are; with --yes does it",
    )
    .argument("<session>", "name of the session")
    .argument("[copy]", "name from that list, or the path of a backup")
    .option(
      "--older",
      "also when it may have been used since the copy was made: it goes on with new keys",
      false,
    )
    .option("--older-key-file <file>", "a file with the master key of that time, if the hub no longer has it")
    .option("--yes", "do it", false)
    .action(async (sessionId: string, name: string | undefined, options: Options) => {
      if (name === undefined) return list(bench, sessionId);
      if (!options.yes) throw new CommandError(WARNING);
      const done = await putBack(bench, { sessionId, name, options });
      bench.show({ data: { sessionId, ...done }, text: textOf(sessionId, done) });
    });
}

async function list(bench: Bench, sessionId: string): Promise<void> {
  const { listLoginCopies } = await loginCopies();
  const copies = await listLoginCopies(readConfig(bench.desk.env), sessionId);
  const now = bench.desk.now();
  bench.show({
    data: { copies },
    text:
      copies.length === 0
        ? `There is no copy of a login of "${sessionId}".`
        : table(
            copies.map((copy) => ({ ...copy, age: ageOf(copy, now) })),
            { made: ({ age }) => `${String(age)} ago`, copy: "name", kind: "kind" },
          ),
    isProblem: copies.length === 0,
  });
}

async function putBack(
  bench: Bench,
  { sessionId, name, options }: { sessionId: string; name: string; options: Options },
): Promise<PutBack> {
  const { OlderCopy, putLoginBack } = await loginCopies();
  const { older, olderKeyFile } = options;
  const order = {
    ...{ sessionId, backup: name, acceptsOlder: older },
    ...(olderKeyFile === undefined ? {} : { olderKey: keyIn(olderKeyFile) }),
  };
  try {
    const done = await inPlainWords(putLoginBack(readConfig(bench.desk.env), order, silent));
    await withStore(bench.desk, (store) =>
      store.audit.append(
        doneBy("operator", "login.put_back", bench.desk.now(), {
          target: sessionId,
          details: { copy: done.copy.name, isStale: done.isStale },
        }),
      ),
    );
    return done;
  } catch (error) {
    if (error instanceof CommandError && error.cause instanceof OlderCopy)
      throw new CommandError(olderText(error.cause.copy, bench.desk.now()), { cause: error.cause });
    throw error;
  }
}

const ageOf = ({ at }: LoginCopy, now: Date): string => duration(now.getTime() - at.getTime());

const olderText = (copy: LoginCopy, now: Date): string =>
  lines(
    `Nothing was done. ${copy.name} was made ${ageOf(copy, now)} ago, and the login may have been used since: its keys must not be used a second time.`,
    "With --older it is taken all the same: the session then waits as rolled_back, goes on with new keys when you connect it, and a " +
      "few messages may come a little later. No QR code is needed, unless the device was removed on the phone since.",
  );

function textOf(sessionId: string, { copy, isStale, unreadable }: PutBack): string {
  const left = Object.values(unreadable).reduce((sum, each) => sum + each, 0);
  return lines(
    `The login of ${sessionId} is back from ${copy.name}.`,
    isStale
      ? "It may have been used since: the session is rolled_back, and goes on with new keys."
      : "Nothing was used since: it goes on where it was.",
    left === 0
      ? null
      : `${left} keys in it were damaged and are made anew; a message may come a little later.`,
    `The login from before, if there was one, can be brought back for 7 days: npm run hub -- fix-session ${sessionId} --undo`,
    `Start the hub, then: npm run hub -- fix-session ${sessionId} --yes`,
  );
}

const WARNING = [
  "Nothing was done yet. The session's login is replaced by the one of the copy; messages, settings and all other sessions stay.",
  "Stop the hub first, then add --yes.",
].join("\n");
