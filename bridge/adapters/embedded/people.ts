/** What an address says by itself: whether it is a person, and which number. */

const PERSON = /^(\d+)@(?:c\.us|s\.whatsapp\.net)$/;
const PERSONS = ["@c.us", "@s.whatsapp.net", "@lid"];

export const isPerson = (id: string): boolean => PERSONS.some((ending) => id.endsWith(ending));
export const isHiddenId = (id: string): boolean => id.endsWith("@lid");

/** `+digits` of an address that is a phone number, written either as an address or as digits; else null. */
export function phoneOf(id: string): string | null {
  const digits = PERSON.exec(id)?.[1] ?? (/^\d{5,}$/.test(id) ? id : undefined);
  return digits === undefined ? null : `+${digits}`;
}

/** The number where it is known, else the id: what CRMs show and search. */
export const numberOf = (id: string): string => phoneOf(id) ?? id;
