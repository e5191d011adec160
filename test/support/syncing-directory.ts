/** A process that syncs a directory into the embedded CRM, to be killed: argv is its data folder, Wispro's URL, the token. */
import { join } from "node:path";
import { openAdapter } from "../../bridge/adapters/index.ts";
import { systemClock } from "../../bridge/clock.ts";
import { createDirectorySync } from "../../bridge/directory/directory-sync.ts";
import { createWisproSource } from "../../bridge/directory/wispro.ts";
import { createLog } from "../../bridge/log.ts";
import { openLowdbState } from "../../bridge/state/lowdb-state.ts";

const [dir = "", url = "", token = ""] = process.argv.slice(2);
const log = createLog("warn");
const adapter = await openAdapter({ kind: "sqlite", file: join(dir, "crm.db") }, { clock: systemClock, log });
await adapter.prepare();
const state = await openLowdbState({ dir, clock: systemClock, log });
const source = createWisproSource({ url, token });
const sync = createDirectorySync({ source, clients: adapter.clients, state, clock: systemClock, log });
// What was begun is taken up; otherwise this is the first start.
await sync.startDaily();
if (sync.status() === null) await sync.start();
await sync.idle();
await sync.stop();
await state.close();
await adapter.close();
