/** Which endpoints were paused by their own word (410). Of those paused before, nobody knows: they wait for a person. */
export const goneEndpoints = `
ALTER TABLE endpoint ADD COLUMN is_gone INTEGER NOT NULL DEFAULT 0;
`;
