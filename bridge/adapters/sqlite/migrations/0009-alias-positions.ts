/** Where in the hub's count it was last told whose a hidden id is: what is told too late takes it from nobody. */
export const aliasPositions = `
ALTER TABLE alias ADD COLUMN position INTEGER;
`;
