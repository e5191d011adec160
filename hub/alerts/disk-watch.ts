/** Looks at the disk every minute, and calls people before it is full. */
import { HUB_SESSION } from "../contract/events.ts";
import type { Log } from "../core/log.ts";
import { hubAlert } from "./alert.ts";
import type { Alerts } from "./alerts.ts";

const LOOK_MS = 60_000;

export function watchDisk({
  isLow,
  alerts,
  log,
}: {
  isLow: () => Promise<boolean>;
  alerts: Pick<Alerts, "raise" | "over">;
  log: Log;
}): { stop(): void } {
  const look = async (): Promise<void> => {
    if (await isLow()) alerts.raise(hubAlert("disk_low"));
    else alerts.over({ sessionId: HUB_SESSION, cause: "disk_low" });
  };
  const timer = setInterval(() => {
    look().catch((err: unknown) => log.warn({ err }, "alert.disk_not_seen"));
  }, LOOK_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
