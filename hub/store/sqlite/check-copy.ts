/** Looks a whole copy over, and makes it one self-contained file: a log beside it would be lost on the way. */
import { lookBeside } from "./look-beside.ts";

const LOOK = `
const { parentPort, workerData } = require("node:worker_threads");
const Database = require(workerData.library);
const answer = () => {
  const db = new Database(workerData.file, { fileMustExist: true });
  try {
    db.pragma("journal_mode = DELETE");
    const found = String(db.pragma("quick_check(1)", { simple: true }));
    return found === "ok" ? "schema " + db.pragma("user_version", { simple: true }) : found;
  } catch (cause) {
    return cause.message;
  } finally {
    db.close();
  }
};
parentPort.postMessage(answer());
`;

/** The schema it was written with. @throws Error when the file is damaged, or no database */
export async function checkCopy(file: string): Promise<number> {
  const said = await lookBeside(file, LOOK).answer;
  const schema = /^schema (\d+)$/.exec(said)?.[1];
  if (schema === undefined) throw new Error(`The copy ${file} is damaged: ${said}.`);
  return Number(schema);
}
