/** What a kill must not make forgotten: letters that were not sent yet, and orders whose row in the audit log comes when they end. */
export const lettersAndOrders = `
CREATE TABLE letter(n INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE audit_begun(
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  head INTEGER NOT NULL,                         -- the newest row of the log at that time
  entry TEXT NOT NULL                            -- JSON: the row if the order never ends
);
`;
