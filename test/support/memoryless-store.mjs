/**
 * Preloaded into a hub: between two SIGUSR2, whatever the store would change fails as SQLite says that it got no memory. The
 * limit that SQLite itself offers does not hold in this build of it, and a process that is refused memory ends before SQLite asks.
 */
import Database from "better-sqlite3";

let isRefused = false;
process.on("SIGUSR2", () => {
  isRefused = !isRefused;
});

const db = new Database(":memory:");
const statement = Object.getPrototypeOf(db.prepare("SELECT 1"));
db.close();
const { run } = statement;
statement.run = function (...values) {
  if (isRefused) throw new Database.SqliteError("out of memory", "SQLITE_NOMEM");
  return run.apply(this, values);
};
