/** How the connections of sessions have done, and when the hub last did what it must not do too often. */
export const figures = `
CREATE TABLE session_figures(session INTEGER PRIMARY KEY, v TEXT NOT NULL);  -- JSON
CREATE TABLE mark(name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
`;
