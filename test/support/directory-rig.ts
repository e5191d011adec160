/** A directory sync with its real neighbours but the CRM: Wispro over HTTP, a state that outlives the process, one clock. */
import type { ClientStore } from "../../bridge/adapter.ts";
import { createDirectorySync, type DirectorySync } from "../../bridge/directory/directory-sync.ts";
import type { Schedule } from "../../bridge/directory/daily.ts";
import type { DirectorySource } from "../../bridge/directory/source.ts";
import { createWisproSource } from "../../bridge/directory/wispro.ts";
import type { BridgeState } from "../../bridge/state/bridge-state.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import { crmClients, type CrmClients } from "./crm-clients.ts";
import { fixedClock, type FixedClock } from "./fixed-clock.ts";
import { logBook, type LogBook } from "./log-book.ts";
import { startWisproServer, type WisproRecord, type WisproServer } from "./wispro-server.ts";

export const TOKEN = "raw-token-of-the-directory";

export interface DirectoryRig {
  wispro: WisproServer;
  crm: CrmClients;
  state: BridgeState;
  clock: FixedClock;
  log: LogBook;
  /** A process of its own on the same state; the first one is `sync`. */
  process(change?: Partial<Parameters<typeof createDirectorySync>[0]>): DirectorySync;
  sync: DirectorySync;
  source: DirectorySource;
  /** Starts a pass and waits for its end. */
  pass(sync?: DirectorySync): ReturnType<DirectorySync["wait"]>;
  stop(): Promise<void>;
}

export async function directoryRig({
  records,
  timeoutMs = 5_000,
  clients,
  schedule,
}: {
  records: WisproRecord[];
  timeoutMs?: number;
  /** The CRM, where it is not the rig's own. */
  clients?: ClientStore | undefined;
  schedule?: Schedule;
}): Promise<DirectoryRig> {
  const wispro = await startWisproServer({ token: TOKEN, records });
  const crm = crmClients();
  const state = createMemoryState();
  const clock = fixedClock();
  const log = logBook();
  const source = createWisproSource({ url: wispro.url, token: TOKEN, timeoutMs });
  const processes: DirectorySync[] = [];

  const process: DirectoryRig["process"] = (change = {}) => {
    const sync = createDirectorySync({
      source,
      clients: clients ?? crm,
      state,
      clock,
      log,
      backoffMs: [1, 1],
      ...(schedule === undefined ? {} : { schedule }),
      ...change,
    });
    processes.push(sync);
    return sync;
  };
  const sync = process();

  return {
    wispro,
    crm,
    state,
    clock,
    log,
    source,
    process,
    sync,
    pass: async (by = sync) => {
      const { jobId } = await by.start();
      return by.wait(jobId);
    },
    stop: async () => {
      await Promise.all(processes.map((one) => one.stop()));
      await wispro.stop();
    },
  };
}
