/** Alerts as an e-mail, in English and Spanish. */
import { textOf, type Alert } from "./alert.ts";

export interface Letter {
  subject: string;
  text: string;
}

/** One line of a header: what people named their sessions must not make a second one. */
const inOneLine = (text: string): string => text.replace(/\p{Cc}+/gu, " ").slice(0, 150);

/** About one alert. */
export function letterAbout(alert: Alert, at: Date): Letter {
  const { en, es } = textOf(alert);
  const { about, advice, adviceEs } = alert;
  return {
    subject: inOneLine(`Inbox Hub: ${about}: ${en}`),
    text: [`${at.toISOString()}  ${inOneLine(about)}`, `${en} ${advice}`, `${es} ${adviceEs}`].join("\n"),
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
