/** Puts the alerts of one hub together: who is told, when, and what is looked at. */
import type { SessionFigures } from "../core/session-figures.ts";
import type { Session } from "../core/session.ts";
import { alertOfMove, backupAlert, endpointAlert } from "./alert.ts";
import { createAlerts, type AlertsParts } from "./alerts.ts";
import { watchDisk } from "./disk-watch.ts";
import { createMailer, type MailSettings } from "./mail.ts";
import { parseQuietHours } from "./quiet-hours.ts";

export interface AlertSettings {
  /** Failed tries in a row after which people are told. */
  after: number;
  mail: MailSettings | null;
  /** Hours without e-mails, as `22:00-07:00`. */
  quiet: string | null;
}

export interface StartedAlerts {
  moved(previous: Session, next: Session, figures: SessionFigures): void;
  endpointInTrouble(endpointId: string, what: "failing" | "paused"): void;
  safekeepingFailed(what: "backup" | "drill"): void;
  stop(): Promise<void>;
}

export function startAlerts({
  settings,
  isDiskLow,
  ...parts
}: Omit<AlertsParts, "mailer" | "quiet"> & {
  settings: AlertSettings;
  isDiskLow: () => Promise<boolean>;
}): StartedAlerts {
  const { after, mail, quiet } = settings;
  const alerts = createAlerts({
    ...parts,
    mailer: mail && createMailer(mail),
    quiet: quiet === null ? null : parseQuietHours(quiet),
  });
  const disk = watchDisk({ isLow: isDiskLow, alerts, log: parts.log });
  return {
    moved: (previous, next, figures) => {
      const alert = alertOfMove(previous, next, figures, after);
      if (alert !== null) alerts.raise(alert);
    },
    endpointInTrouble: (endpointId, what) =>
      alerts.raise(endpointAlert(endpointId, what === "paused" ? "endpoint_paused" : "endpoint_failing")),
    safekeepingFailed: (what) =>
      alerts.raise(backupAlert(what === "backup" ? "backup_failed" : "drill_failed")),
    stop: () => {
      disk.stop();
      return alerts.stop();
    },
  };
}
