/** Puts the alerts of one hub together: who is told, when, and what is looked at. */
import { HUB_SESSION } from "../contract/events.ts";
import type { Pressure } from "../core/pressure.ts";
import type { SafekeepingNews } from "../core/safekeeping-marks.ts";
import type { SessionFigures } from "../core/session-figures.ts";
import type { Session } from "../core/session.ts";
import { alertOfMove, endpointAlert, hubAlert, sessionAlert } from "./alert.ts";
import { createAlerts, type AlertsParts } from "./alerts.ts";
import type { AlertCause } from "./causes.ts";
import { watchDisk } from "./disk-watch.ts";
import { watchLoad } from "./load-watch.ts";
import { createMailer, type MailSettings } from "./mail.ts";
import { parseQuietHours } from "./quiet-hours.ts";
import { createStanding, type StandingParts } from "./standing.ts";

export interface AlertSettings {
  /** Failed tries in a row after which people are told. */
  after: number;
  mail: MailSettings | null;
  /** Hours without e-mails, as `22:00-07:00`. */
  quiet: string | null;
}

export interface StartedAlerts {
  moved(previous: Session, next: Session, figures: SessionFigures): void;
  endpointInTrouble(endpointId: string, what: "failing" | "paused" | "parked"): void;
  safekeeping(what: "backup" | "drill", news: SafekeepingNews): void;
  /** A storm of messages that cannot be decrypted began. */
  stormBegan(sessionId: string): void;
  stop(): Promise<void>;
}

const TROUBLES = {
  failing: "endpoint_failing",
  paused: "endpoint_paused",
  parked: "events_parked",
} as const;

export function startAlerts({
  settings,
  isDiskLow,
  pressure,
  sessions,
  endpoints,
  outbox,
  isStormy,
  ...parts
}: Omit<AlertsParts, "mailer" | "quiet" | "standing"> &
  Omit<StandingParts, "isOverloaded"> & {
    settings: AlertSettings;
    isDiskLow: () => Promise<boolean>;
    pressure: Pressure;
  }): StartedAlerts {
  const { after, mail, quiet } = settings;
  const alerts = createAlerts({
    ...parts,
    standing: createStanding({
      sessions,
      endpoints,
      outbox,
      isStormy,
      isOverloaded: () => pressure.isHigh(),
    }),
    mailer: mail && createMailer(mail),
    quiet: quiet === null ? null : parseQuietHours(quiet),
  });
  const watches = [watchDisk({ isLow: isDiskLow, alerts, log: parts.log }), watchLoad({ pressure, alerts })];
  const overOfHub = (cause: AlertCause): void => alerts.over({ sessionId: HUB_SESSION, cause });

  return {
    moved: (previous, next, figures) => {
      const alert = alertOfMove(previous, next, figures, after);
      if (alert !== null) alerts.raise(alert);
      if (previous.state === "store_down" && next.state !== "store_down") overOfHub("store_down");
    },
    endpointInTrouble: (endpointId, what) => alerts.raise(endpointAlert(endpointId, TROUBLES[what])),
    safekeeping: (what, news) => {
      if (news !== "done") {
        alerts.raise(hubAlert(`${what}_${news}`));
        return;
      }
      overOfHub(`${what}_failed`);
      overOfHub(`${what}_overdue`);
    },
    stormBegan: (sessionId) => {
      sessions
        .get(sessionId)
        .then((session) => {
          if (session !== null) alerts.raise(sessionAlert(session, "messages_unreadable"));
        })
        .catch((err: unknown) => parts.log.error({ sessionId, err }, "alert.failed"));
    },
    stop: () => {
      for (const watch of watches) watch.stop();
      return alerts.stop();
    },
  };
}
