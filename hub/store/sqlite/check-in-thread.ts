/** Looks a whole copy over, in a thread of its own: a large one takes seconds, in which the hub must go on. */
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

/**
 * As text, because a thread starts from a file, and which file this is depends on how the hub was built. The copy becomes one
 * self-contained file: a log beside it would be lost on the way.
 */
const CHECK = `
const { parentPort, workerData } = require("node:worker_threads");
const Database = require(workerData.library);
const db = new Database(workerData.file, { fileMustExist: true });
try {
  db.pragma("journal_mode = DELETE");
  const answer = db.pragma("quick_check(1)", { simple: true });
  const schema = db.pragma("user_version", { simple: true });
  parentPort.postMessage({ answer: String(answer), schema: Number(schema) });
} finally {
  db.close();
}
`;

/** The schema it was written with. @throws Error when the file is damaged, or no database */
export function checkInThread(file: string): Promise<number> {
  const library = createRequire(import.meta.url).resolve("better-sqlite3");
  return new Promise((resolve, reject) => {
    const thread = new Worker(CHECK, { eval: true, workerData: { file, library } });
    thread.once("error", reject);
    thread.once("exit", () => reject(new Error(`checking ${file} ended without an answer`)));
    // What the text above posts.
    thread.once("message", ({ answer, schema }: { answer: string; schema: number }) => {
      if (answer === "ok") resolve(schema);
      else reject(new Error(`The copy ${file} is damaged: ${answer}.`));
    });
  });
}
