/** Words of a command line that name several things at once. */
import { InvalidArgumentError } from "commander";
import { SCOPES, type Scope } from "../../hub/core/api-key.ts";

const wordsOf = (text: string): string[] =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

export function scopesOf(text: string): Scope[] {
  const words = wordsOf(text);
  const scopes = SCOPES.filter((scope) => words.includes(scope));
  if (scopes.length === 0 || scopes.length !== new Set(words).size)
    throw new InvalidArgumentError(`use some of ${SCOPES.join(", ")}`);
  return scopes;
}

export const sessionsOf = (text: string): "*" | string[] => (text === "*" ? "*" : wordsOf(text));

export const rangesOf = (text: string): string[] => wordsOf(text);
