/** Alerts as an e-mail, in English and Spanish. */
import { wordsOf, type Telling } from "./telling.ts";

export interface Letter {
  subject: string;
  text: string;
}

/** One line of a header: what people named their sessions must not make a second one. */
const inOneLine = (text: string): string => text.replace(/\p{Cc}+/gu, " ").slice(0, 150);

/** About one alert. */
export function letterAbout(telling: Telling): Letter {
  const { text, advice } = wordsOf(telling);
  const { about } = telling.alert;
  return {
    subject: inOneLine(`Inbox Hub: ${about}: ${text.en}`),
    text: [
      `${telling.at.toISOString()}  ${inOneLine(about)}`,
      `${text.en} ${advice.en}`,
      `${text.es} ${advice.es}`,
    ].join("\n"),
  };
}

/** All that waited, as one. */
export function inOne(letters: [Letter, ...Letter[]]): Letter {
  const [first] = letters;
  return {
    subject: letters.length === 1 ? first.subject : `Inbox Hub: ${letters.length} alerts`,
    text: letters.map(({ text }) => text).join("\n\n"),
  };
}
