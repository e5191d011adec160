/** Pages of a list: by cursor (stable while rows arrive) or, for old clients, by number. */
export interface PageRequest {
  limit: number;
  /** From 1; ignored when a cursor is given. */
  page: number;
  /** `nextCursor` of the page before; engines refuse one they did not make with `VALIDATION_ERROR`. */
  cursor?: string | undefined;
}

export interface Page<T> {
  items: T[];
  total: number;
  nextCursor: string | null;
}
