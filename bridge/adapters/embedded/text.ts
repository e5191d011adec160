/** Texts as rows keep them: readable by every client of the file, and equal to themselves when read again. */
import { Rejected } from "./rejected.ts";

const NAME_LENGTH = 140;
const PREVIEW_LENGTH = 500;
/** NUL ends a text for many readers of SQLite; half an emoji would come back as another character. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

export const clean = (text: string): string =>
  UNSTORABLE.test(text) ? text.replaceAll("\0", "").replace(/\p{Surrogate}/gu, "\uFFFD") : text;

export const cleanOrNull = (text: string | null): string | null => (text === null ? null : clean(text));

/** Cut without halving a character that takes two places. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

export const shortName = (text: string | null): string | null =>
  text === null ? null : cut(clean(text), NAME_LENGTH);

/** Of a message, for lists of chats. */
export const preview = (text: string | null): string | null =>
  text === null ? null : cut(clean(text), PREVIEW_LENGTH);

/** Ids name records: cutting or cleaning one could make two records one. */
export function keyText(text: string, what: string): string {
  if (text === "" || text.length > NAME_LENGTH || UNSTORABLE.test(text))
    throw new Rejected(`The ${what} must have 1 to ${NAME_LENGTH} characters and no control of text ends.`);
  return text;
}
