/** A bridge as a process on a folder of its own, killed and started again at will, and the CRM's file beside it as others see it. */
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import Database from "better-sqlite3";
import { bridgeDataSchema, type BridgeData } from "../../bridge/state/bridge-state.ts";
import { startBridgeProcess } from "./bridge-process.ts";
import { crmReader, type CrmReader } from "./crm-reader.ts";
import { freePort, StartError, type ProductProcess } from "./product-process.ts";

const CRASHING = "test/support/crashing-bridge.mjs";
export const SITE_KEY = "crm:0123456789abcdef";
/** Nothing runs by itself but what the bridge does at its start: a row orders what it wants to see. */
const NEVER = "0 0 29 2 *";

export interface BridgeSite {
  url: string;
  crm: CrmReader;
  /** Null: it ended (was killed) before it was ready. */
  start(options?: { crashAt?: string; env?: Record<string, string> }): Promise<ProductProcess | null>;
  isDown(): boolean;
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** The bridge's own memory, as it is on disk. */
  memory(): BridgeData;
  /** The bridge's own memory is gone; only a bridge that is down can lose it. */
  forget(): Promise<void>;
  /** The CRM's file, opened by another program; closed when `work` is done. */
  inFile<T>(work: (db: Database.Database) => T): T;
  /** …as a second program that stays; close it. */
  open(): Database.Database;
  /** What it wrote so far, over all lives. */
  output(): string;
}

export async function openBridgeSite({
  dir,
  readsFeed = true,
  env,
}: {
  dir: string;
  /** False: not every five minutes, as it does by itself; at its start it does. */
  readsFeed?: boolean;
  /** Where the hub is, its key, the secret, and what a row wants otherwise. */
  env: Record<string, string>;
}): Promise<BridgeSite> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const memory = join(dir, "bridge.json");
  const lives: ProductProcess[] = [];
  let isDown = true;
  const open = (): Database.Database => new Database(join(dir, "crm.db"), { timeout: 10_000 });

  return {
    url,
    crm: crmReader({ url, key: SITE_KEY }),
    start: async ({ crashAt, env: more = {} } = {}) => {
      try {
        const started = await startBridgeProcess(
          {
            BRIDGE_PORT: String(port),
            BRIDGE_DATA_DIR: dir,
            BRIDGE_METHOD_KEYS: SITE_KEY,
            BRIDGE_AUTO_SYNC: NEVER,
            BRIDGE_RECONCILE: NEVER,
            BRIDGE_SYNC_MESSAGES_PER_CHAT: "100000",
            BRIDGE_SYNC_MESSAGE_CHATS: "1000",
            ...env,
            ...more,
            ...(crashAt === undefined ? {} : { BRIDGE_CRASH_AT: crashAt }),
          },
          { entry: crashAt === undefined && readsFeed ? "dist/bridge/main.js" : CRASHING },
        );
        lives.push(started);
        isDown = false;
        void started.exited.then(() => {
          if (lives.at(-1) === started) isDown = true;
        });
        return started;
      } catch (cause) {
        if (crashAt !== undefined && cause instanceof StartError && cause.ending === "SIGKILL") return null;
        throw cause;
      }
    },
    isDown: () => isDown,
    kill: async (signal = "SIGKILL") => {
      await lives.at(-1)?.kill(signal);
      isDown = true;
    },
    memory: () => bridgeDataSchema.parse(JSON.parse(readFileSync(memory, "utf8"))),
    forget: () => rm(memory, { force: true }),
    inFile: (work) => {
      const db = open();
      try {
        return work(db);
      } finally {
        db.close();
      }
    },
    open,
    output: () => lives.flatMap(({ output }) => output).join("\n"),
  };
}
