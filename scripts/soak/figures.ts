/** The hub's own figures, looked at every few seconds; a minute is shown by its lowest memory and its worst lag. */
import type { SoakStand } from "./stand.ts";

const MB = 1024 * 1024;

export interface Look {
  rssMb: number;
  heapMb: number;
  /** Timers, sockets, files: what keeps the process busy. */
  handles: number;
  files: number;
  lagP99Ms: number;
  lagMaxMs: number;
  /** Deliveries owed, and what WhatsApp handed over and is not recorded. */
  backlog: number;
}

export async function look({ hub, hubProcess }: SoakStand): Promise<Look> {
  const [metrics, { pending, retrying }] = await Promise.all([
    fetch(`${hubProcess.url}/metrics`).then((answer) => answer.text()),
    hub.get<{ pending: number; retrying: number }>("/api/deliveries/stats"),
  ]);
  const value = (name: string): number => {
    const line = new RegExp(`^inbox_hub_${name} (\\S+)$`, "m").exec(metrics);
    if (line === null) throw new Error(`the hub shows no ${name}`);
    return Number(line[1]);
  };
  return {
    rssMb: value("process_resident_memory_bytes") / MB,
    heapMb: value("nodejs_heap_size_used_bytes") / MB,
    handles: value("nodejs_active_resources_total"),
    files: value("process_open_fds"),
    lagP99Ms: value("nodejs_eventloop_lag_p99_seconds") * 1000,
    lagMaxMs: value("nodejs_eventloop_lag_max_seconds") * 1000,
    backlog: pending + retrying + value("intake_open"),
  };
}

/** Memory and handles swing; only the lowest of a while says what is held. */
export function minuteOf(looks: Look[]): Look {
  const lowest = (of: (look: Look) => number): number => Math.min(...looks.map(of));
  const highest = (of: (look: Look) => number): number => Math.max(...looks.map(of));
  return {
    rssMb: lowest(({ rssMb }) => rssMb),
    heapMb: lowest(({ heapMb }) => heapMb),
    handles: lowest(({ handles }) => handles),
    files: lowest(({ files }) => files),
    lagP99Ms: highest(({ lagP99Ms }) => lagP99Ms),
    lagMaxMs: highest(({ lagMaxMs }) => lagMaxMs),
    backlog: highest(({ backlog }) => backlog),
  };
}

/** Change per hour; null while there are fewer than two minutes. */
export type Growth = Record<keyof typeof FLAT, number | null>;

/** A hub that just started fills its caches: this part of the minutes does not count. */
const WARM_UP_SHARE = 0.2;
/** What a flat line may still seem to rise by, an hour. */
const FLAT = { rssMb: 30, heapMb: 15, handles: 5, files: 5 };

export function growthOf(minutes: Look[]): Growth {
  const counted = minutes.slice(Math.floor(minutes.length * WARM_UP_SHARE));
  return {
    rssMb: slopePerHour(counted.map(({ rssMb }) => rssMb)),
    heapMb: slopePerHour(counted.map(({ heapMb }) => heapMb)),
    handles: slopePerHour(counted.map(({ handles }) => handles)),
    files: slopePerHour(counted.map(({ files }) => files)),
  };
}

export const isFlat = ({ rssMb, heapMb, handles, files }: Growth): boolean =>
  (rssMb ?? 0) <= FLAT.rssMb &&
  (heapMb ?? 0) <= FLAT.heapMb &&
  (handles ?? 0) <= FLAT.handles &&
  (files ?? 0) <= FLAT.files;

/** Of one value a minute, by least squares. */
function slopePerHour(values: number[]): number | null {
  if (values.length < 2) return null;
  const meanAt = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const together = values.reduce((sum, value, at) => sum + (at - meanAt) * (value - mean), 0);
  const spread = values.reduce((sum, _, at) => sum + (at - meanAt) ** 2, 0);
  return Math.round((together / spread) * 600) / 10;
}
