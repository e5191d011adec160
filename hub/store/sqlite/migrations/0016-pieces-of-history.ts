/** Which pieces of the import have come, as JSON; null until the next one comes. */
export const piecesOfHistory = `
ALTER TABLE history ADD COLUMN pieces TEXT;
`;
