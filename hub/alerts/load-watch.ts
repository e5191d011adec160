/** Calls people when the hub does not keep up for so long, or stands still for so long, that connections are in danger. */
import type { Pressure } from "../core/pressure.ts";
import { hubAlert } from "./alert.ts";
import type { Alerts } from "./alerts.ts";

const LOOK_MS = 5_000;
/** The library gives connections up when nothing moves for so long. */
const STILL_MS = 5_000;
/** A burst is over sooner. */
const LOOKS = 12;

export interface LoadWatch {
  /** One look; done every few seconds anyway. */
  look(): void;
  stop(): void;
}

export function watchLoad({
  pressure,
  alerts,
}: {
  pressure: Pick<Pressure, "isHigh" | "lagMs">;
  alerts: Pick<Alerts, "raise">;
}): LoadWatch {
  let inARow = 0;
  const look = (): void => {
    inARow = pressure.isHigh() ? inARow + 1 : 0;
    if (inARow >= LOOKS || pressure.lagMs() >= STILL_MS) alerts.raise(hubAlert("overloaded"));
  };
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return { look, stop: () => clearInterval(timer) };
}
