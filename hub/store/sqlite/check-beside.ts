/**
 * Looks a large database over while the hub works on it: in a process of its own, because a look takes a second for some
 * hundred thousand messages, cannot be broken off, and a hub that ends must not wait for it.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants, setPriority } from "node:os";

/**
 * As text, because a process starts from a file, and which file this is depends on how the hub was built. The look blocks its
 * thread; the other one sees that the hub is gone, and then nobody waits for the answer.
 */
const CHECK = `
const { Worker } = require("node:worker_threads");
const [library, file, text] = process.argv.slice(1);
process.stdin.on("end", () => process.kill(process.pid, "SIGKILL")).resume();
new Worker(text, { eval: true, workerData: { library, file } }).on("message", (answer) => {
  process.stdout.write(answer, () => process.exit(0));
});
`;
const LOOK = `
const { parentPort, workerData } = require("node:worker_threads");
const Database = require(workerData.library);
const db = new Database(workerData.file, { readonly: true, fileMustExist: true, timeout: 5000 });
const answer = () => {
  try {
    return String(db.pragma("quick_check(1)", { simple: true }));
  } catch (cause) {
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(cause.code)) return cause.message;
    throw cause;
  }
};
parentPort.postMessage(answer());
`;

export interface CheckBeside {
  /** What is damaged, in SQLite's words; null when nothing is. Rejects when it could not be found out. */
  answer: Promise<string | null>;
  /** Ends it, if it is still at work; resolves when it reads no more. */
  stop(): Promise<void>;
}

export function checkBeside(file: string): CheckBeside {
  const library = createRequire(import.meta.url).resolve("better-sqlite3");
  const child = spawn(process.execPath, ["-e", CHECK, library, file, LOOK], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {},
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  const over = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  const answer = new Promise<string | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code !== 0 || said === "") reject(new Error(`checking ${file} ended without an answer`));
      else resolve(said === "ok" ? null : said);
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
