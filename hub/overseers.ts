/** Those who watch over a running hub: whether it keeps up, whether messages come in a storm that cannot be read, and who is called. */
import { startAlerts, type AlertSettings, type StartedAlerts } from "./alerts/start.ts";
import type { Clock } from "./core/clock.ts";
import type { Log } from "./core/log.ts";
import type { Nudge } from "./core/nudge.ts";
import type { Pressure } from "./core/pressure.ts";
import type { Store } from "./core/store.ts";
import { isDiskLow } from "./inbox/room.ts";
import { measureLoopLag } from "./loop-lag.ts";
import { createStorms, type Storms, type StormsParts } from "./sessions/storms.ts";

export interface Overseers {
  pressure: Pressure;
  storms: Storms;
  alerts: StartedAlerts;
}

export function startOverseers({
  store,
  settings,
  dataDir,
  countUnreadable,
  clock,
  nudge,
  log,
}: {
  store: Store;
  settings: AlertSettings;
  /** Whose disk is watched. */
  dataDir: string;
  countUnreadable: StormsParts["count"];
  clock: Clock;
  nudge: Nudge;
  log: Log & { child(about: { part: string }): Log };
}): Overseers & { stop(): Promise<void> } {
  const pressure = measureLoopLag(log);
  const storms = createStorms({
    store: store.sessions,
    count: countUnreadable,
    onBegan: (sessionId) => alerts.stormBegan(sessionId),
    clock,
    log: log.child({ part: "sessions" }),
  });
  const alerts = startAlerts({
    ...{ settings, isDiskLow: () => isDiskLow(dataDir), pressure, isStormy: storms.isStormy },
    ...{ sessions: store.sessions, endpoints: store.endpoints, outbox: store.outbox },
    ...{ events: store.events, marks: store.marks, letters: store.letters, clock, nudge },
    log: log.child({ part: "alerts" }),
  });
  return {
    pressure,
    storms,
    alerts,
    stop: async () => {
      pressure.stop();
      await alerts.stop();
    },
  };
}
