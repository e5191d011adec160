import { expect, test } from "vitest";
import { phoneForms } from "../../bridge/phone-forms.ts";

test.each([
  ["+541112345678", "+5491112345678"],
  ["+525512345678", "+5215512345678"],
  ["+5511987654321", "+551187654321"],
])("%s and %s are one number, whichever is written", (one, other) => {
  expect(phoneForms(one)).toEqual([one, other]);
  expect(phoneForms(other)).toEqual([other, one]);
});

test.each(["+584141234567", "+551134567890", "+34600111222", "+5411", ""])("%j has one form", (phone) => {
  expect(phoneForms(phone)).toEqual([phone]);
});
