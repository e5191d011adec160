/** Moments as clients write them in filters → as rows keep them. */

const MOMENT =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Null when it is none. Without a zone it is UTC, as the rows are. */
export function momentOfText(text: string): string | null {
  const [, day, time = "00:00", seconds = "00", fraction = "", zone = "Z"] = MOMENT.exec(text.trim()) ?? [];
  if (day === undefined) return null;
  const date = new Date(`${day}T${time}:${seconds}${zone}`);
  if (Number.isNaN(date.getTime())) return null;
  return `${date.toISOString().slice(0, 19).replace("T", " ")}.${fraction.padEnd(6, "0")}`;
}

/** A day as the upper end of a span means all of that day. */
export const dayEnd = (value: unknown): unknown =>
  typeof value === "string" && DAY.test(value.trim()) ? `${value.trim()} 23:59:59.999999` : value;
