/** The orders that wait for the hub, in a file beside the bridge's memory; the lock of the folder is that memory's. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { openKeptFile } from "./kept-file.ts";
import { emptyOutgoingData, outgoingDataSchema, type OutgoingOrders } from "./outgoing-orders.ts";

export async function openOutgoingFile({
  dir,
  clock,
  log,
}: {
  dir: string;
  clock: Clock;
  log: Log;
}): Promise<OutgoingOrders> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, "outgoing.json");
  return openKeptFile({ file, schema: outgoingDataSchema, empty: emptyOutgoingData, clock, log });
}
