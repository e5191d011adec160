/** Doubled and trailing slashes reach the same route. */
import { expect, test } from "vitest";
import { cleanPath } from "../../hub/http/clean-path.ts";

test.each([
  ["/api/sessions", "/api/sessions"],
  ["//api//sessions//", "/api/sessions"],
  ["/api/sessions/?search=a//b/", "/api/sessions?search=a//b/"],
  ["/", "/"],
  ["//", "/"],
  ["/api/contacts/s1/info/+34600111222/", "/api/contacts/s1/info/+34600111222"],
])("%s becomes %s", (written, clean) => expect(cleanPath(written)).toBe(clean));
