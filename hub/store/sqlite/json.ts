/** JSON columns. Their text was written by this engine alone, so that reading trusts its shape. */
export const toJson = (value: unknown): string => JSON.stringify(value);

/** `T` is what the writer of the same column put in; the database is ours and its file is checked at open. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export const fromJson = <T>(text: string): T => JSON.parse(text) as T;

/** Columns hold 0 and 1. */
export const bit = (flag: boolean): number => (flag ? 1 : 0);

/** Unix milliseconds of a column that may be empty, and back. */
export const ms = (date: Date | null): number | null => date?.getTime() ?? null;
export const date = (at: number | null): Date | null => (at === null ? null : new Date(at));
