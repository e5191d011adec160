/** The forms of one phone number: WhatsApp knows some mobiles with, others without a digit that people leave out or write. */

/** Each pair says the same number, either way round. */
const TWINS: readonly [from: RegExp, to: string][] = [
  // Argentina: a 9 for mobiles that are called from abroad.
  [/^\+54([1-8]\d{9})$/, "+549$1"],
  [/^\+549(\d{10})$/, "+54$1"],
  // Mexico: a 1 for mobiles, until 2019.
  [/^\+52([2-9]\d{9})$/, "+521$1"],
  [/^\+521(\d{10})$/, "+52$1"],
  // Brazil: a 9 before mobiles, since 2012; accounts from before have none.
  [/^\+55(\d{2})9([6-9]\d{7})$/, "+55$1$2"],
  [/^\+55(\d{2})([6-9]\d{7})$/, "+55$19$2"],
];

/** `phone` itself first. */
export function phoneForms(phone: string): string[] {
  const twin = TWINS.find(([from]) => from.test(phone));
  return twin === undefined ? [phone] : [phone, phone.replace(...twin)];
}
