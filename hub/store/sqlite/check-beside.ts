/** Looks a large database over while the hub works on it. */
import { lookBeside } from "./look-beside.ts";

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
  const { answer, stop } = lookBeside(file, LOOK);
  return { answer: answer.then((said) => (said === "ok" ? null : said)), stop };
}
