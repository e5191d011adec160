/** Words of messages that went before this step still stand in the index of search. */
export const wordsLeft = `
INSERT INTO meta(key, value) VALUES('words_left', '1');
`;
