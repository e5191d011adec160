/**
 * A look at a database in a process of its own: it takes a second for some hundred thousand messages and cannot be broken off,
 * the hub must go on meanwhile, one that ends must not wait for it, and the memory it took goes with it.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants, setPriority } from "node:os";

/**
 * As text, because a process starts from a file, and which file this is depends on how the hub was built. The look blocks its
 * thread; the other one sees that the hub is gone, and then nobody waits for the answer.
 */
const PROCESS = `
const { Worker } = require("node:worker_threads");
const [library, file, text] = process.argv.slice(1);
process.stdin.on("end", () => process.kill(process.pid, "SIGKILL")).resume();
new Worker(text, { eval: true, workerData: { library, file } }).on("message", (answer) => {
  process.stdout.write(answer, () => process.exit(0));
});
`;

export interface LookBeside {
  /** What the look posted. Rejects when it ended without. */
  answer: Promise<string>;
  /** Ends it, if it is still at work; resolves when it reads no more. */
  stop(): Promise<void>;
}

/** `look`: text of a thread, whose `workerData` names the `file` and where the `library` is, and which posts a text. */
export function lookBeside(file: string, look: string): LookBeside {
  const library = createRequire(import.meta.url).resolve("better-sqlite3");
  const child = spawn(process.execPath, ["-e", PROCESS, library, file, look], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {},
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  const over = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  const answer = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code !== 0 || said === "") reject(new Error(`checking ${file} ended without an answer`));
      else resolve(said);
    });
  });
  lowerPriority(child.pid);
  return {
    answer,
    stop: async () => {
      child.kill("SIGKILL");
      await over;
    },
  };
}

/** Everything else goes first. */
function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // Over already, or a machine that does not allow it: then it is as important as the rest.
  }
}
