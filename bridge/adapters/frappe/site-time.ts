/** Moments as a Frappe site writes them: naive, in the site's own time zone. Pure. */

export interface SiteTime {
  /** `YYYY-MM-DD HH:MM:SS.ffffff` */
  write(unixSeconds: number): string;
  /** Unix seconds, or null for what is no datetime. An hour that a clock change repeats is read as its first half. */
  read(text: unknown): number | null;
}

const DAY = 86_400;
/** A day before the year 10000, which no site knows, whatever its zone. */
const LAST = Date.UTC(10_000, 0, 1) / 1000 - 1 - DAY;
/** Others are bounded when they are written: no record is worth less for a moment that no calendar has. */
export const isPossible = (unixSeconds: number): boolean => unixSeconds >= 0 && unixSeconds <= LAST;
const DATETIME = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?$/;

export function siteTime(timeZone: string): SiteTime {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });

  const partsOf = (unixSeconds: number): Record<string, string> =>
    Object.fromEntries(format.formatToParts(unixSeconds * 1000).map(({ type, value }) => [type, value]));

  const write = (unixSeconds: number): string => {
    const possible = Math.min(Math.max(unixSeconds, 0), LAST);
    const { year = "", month, day, hour, minute, second } = partsOf(possible);
    return `${year.padStart(4, "0")}-${month}-${day} ${hour}:${minute}:${second}.000000`;
  };

  /** What the zone's clocks show at a moment, as if it were UTC. */
  const shownAt = (unixSeconds: number): number => {
    const match = DATETIME.exec(write(unixSeconds));
    return match === null ? unixSeconds : asUtc(match);
  };

  return {
    write,
    read: (text) => {
      const match = typeof text === "string" ? DATETIME.exec(text) : null;
      if (match === null) return null;
      const wanted = asUtc(match);
      // A clock change may lie between: whichever of the two offsets around it shows what was read is the right one.
      const guesses = [wanted - DAY, wanted + DAY].map((near) => wanted - (shownAt(near) - near));
      const fitting = guesses.filter((moment) => shownAt(moment) === wanted);
      return Math.min(...(fitting.length === 0 ? guesses : fitting));
    },
  };
}

function asUtc([, year, month, day, hour, minute, second]: RegExpExecArray): number {
  return (
    Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)) /
    1000
  );
}
