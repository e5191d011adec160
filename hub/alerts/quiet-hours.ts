/** Hours in which nobody is to be woken, in the local time of this machine. */

/** Minutes of the day; `until` is not part of it, and may lie on the next day. */
export interface QuietHours {
  from: number;
  until: number;
}

const FORM = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/;

/** `22:00-07:00`; null for anything else. */
export function parseQuietHours(text: string): QuietHours | null {
  const parts = FORM.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return null;
  const [fromHour = 0, fromMinute = 0, untilHour = 0, untilMinute = 0] = parts;
  return { from: fromHour * 60 + fromMinute, until: untilHour * 60 + untilMinute };
}

export function isQuiet(quiet: QuietHours | null, now: Date): boolean {
  if (quiet === null) return false;
  const minute = now.getHours() * 60 + now.getMinutes();
  const { from, until } = quiet;
  return from <= until ? minute >= from && minute < until : minute >= from || minute < until;
}
