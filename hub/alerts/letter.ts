/** Alerts as an e-mail, in English and Spanish. */
import { textOf, type Alert } from "./alert.ts";

export interface Letter {
  subject: string;
  text: string;
}

export interface Raised {
  alert: Alert;
  at: Date;
}

/** One line of a header: what people named their sessions must not make a second one. */
const inOneLine = (text: string): string => text.replace(/\p{Cc}+/gu, " ").slice(0, 150);

export function letterOf(all: Raised[]): Letter {
  const [first] = all;
  const subject =
    all.length === 1 && first !== undefined
      ? `Inbox Hub: ${first.alert.about}: ${textOf(first.alert).en}`
      : `Inbox Hub: ${all.length} alerts`;
  return { subject: inOneLine(subject), text: all.map(paragraph).join("\n\n") };
}

function paragraph({ alert, at }: Raised): string {
  const { en, es } = textOf(alert);
  const { about, advice, adviceEs } = alert;
  return [`${at.toISOString()}  ${inOneLine(about)}`, `${en} ${advice}`, `${es} ${adviceEs}`].join("\n");
}
