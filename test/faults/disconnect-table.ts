/** What each way of WhatsApp to end a connection has to mean for a session that is linked; written from the published table. */

export interface Ending {
  code: number;
  /** The state it leads to; "connected": it comes back by itself. */
  becomes: "connected" | "logged_out" | "banned" | "outdated" | "lost";
  /** The state it leads to when it comes once more, soon after the session is back. */
  becomesAgain?: "replaced";
}

export const ENDINGS: Ending[] = [
  { code: 401, becomes: "logged_out" },
  { code: 402, becomes: "banned" },
  { code: 403, becomes: "banned" },
  // "Too old" may pass; three times in a row it has not.
  { code: 405, becomes: "connected" },
  { code: 406, becomes: "banned" },
  { code: 408, becomes: "connected" },
  { code: 409, becomes: "connected" },
  { code: 411, becomes: "outdated" },
  { code: 428, becomes: "connected" },
  // Tried again after a minute: here it only has to stay away and keep its login. Within ten minutes there is no second try.
  { code: 440, becomes: "lost", becomesAgain: "replaced" },
  { code: 500, becomes: "connected" },
  { code: 503, becomes: "connected" },
  { code: 515, becomes: "connected" },
  // In nobody's table.
  { code: 599, becomes: "connected" },
];

/** Codes that become "outdated" when they come three times without a connection in between. */
export const TOO_OLD = [405, 409];
export const TOO_OLD_TIMES = 3;
