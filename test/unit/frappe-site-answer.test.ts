/** What a Frappe site's answers mean. */
import { describe, expect, test } from "vitest";
import {
  readAnswer,
  SiteFault,
  SiteRefusal,
  unknownField,
} from "../../bridge/adapters/frappe/site-answer.ts";
import { CrmMisconfigured, CrmUnavailable } from "../../bridge/errors.ts";
import { refuse, SiteError, siteErrorBody } from "../support/frappe-site-errors.ts";

const NOW = new Date("2026-01-31T10:00:00Z");
const read = (status: number, body: string, retryAfter: string | null = null): unknown =>
  readAnswer("GET /x", { status, body, retryAfter }, NOW);
const failure = (status: number, body: string, retryAfter: string | null = null): unknown => {
  try {
    return read(status, body, retryAfter);
  } catch (error) {
    return error;
  }
};
const site = (error: SiteError): unknown => failure(error.status, siteErrorBody(error));

describe("an answer of a site", () => {
  test("is its JSON", () => {
    expect(read(200, '{"data":[]}')).toEqual({ data: [] });
    expect(read(202, '{"message":"ok"}')).toEqual({ message: "ok" });
  });

  test("that is a page instead of JSON proves nothing", () => {
    for (const status of [200, 500, 502, 504])
      expect(failure(status, "<html><body>Updating…</body></html>")).toBeInstanceOf(CrmUnavailable);
  });

  test("of a proxy that found no site, or waited for it in vain, says nothing of the record", () => {
    for (const status of [404, 405, 408]) {
      expect(failure(status, "<html><body>crm.example does not exist</body></html>")).toBeInstanceOf(
        CrmUnavailable,
      );
      expect(failure(status, '{"message":"no route"}')).toBeInstanceOf(CrmUnavailable);
    }
    for (const status of [400, 406, 413])
      expect(failure(status, "<html><body>This one</body></html>")).toBeInstanceOf(SiteRefusal);
    expect(site(refuse.notFound("WhatsApp Contact", "a@c.us"))).toMatchObject({ status: 404 });
    expect(site(refuse.notFound("WhatsApp Contact", "a@c.us"))).toBeInstanceOf(SiteRefusal);
  });

  test.each([
    ["wrong key", refuse.noLogin()],
    ["no permission", refuse.noPermission()],
    [
      "a type that is not there, asked as a list",
      new SiteError(404, "DoesNotExistError", "DocType WhatsApp Contact not found"),
    ],
    ["a type that is not there, asked otherwise", refuse.noModule("WhatsApp Contact")],
  ])("of %s is for a person to mend", (_what, error) => {
    expect(site(error)).toBeInstanceOf(CrmMisconfigured);
  });

  test.each([
    ["a missing field", refuse.mandatory("WhatsApp Contact", ["session"])],
    ["a text that is too long", refuse.tooLong("Message ID", 140)],
    ["data the database cannot take", new SiteError(500, "DataError", "Incorrect string value")],
    ["a broken link", refuse.noLink("Session", "x")],
    ["a name that exists", refuse.duplicateName("WhatsApp Contact", "x")],
  ])("about %s concerns one record", (_what, error) => {
    expect(site(error)).toBeInstanceOf(SiteRefusal);
  });

  test.each([
    ["a deadlock", new SiteError(417, "QueryDeadlockError", "Deadlock found when trying to get lock")],
    ["a lock", new SiteError(500, "QueryTimeoutError", "Lock wait timeout exceeded")],
    ["a full disk", new SiteError(500, "OperationalError", '(1021, "Disk full")')],
    ["too many connections", new SiteError(500, "OperationalError", '(1040, "Too many connections")')],
  ])("about %s blames no record", (_what, error) => {
    expect(site(error)).toBeInstanceOf(CrmUnavailable);
    expect(site(error)).not.toBeInstanceOf(SiteFault);
  });

  test("about a fault of its own code may be of one document, unless it asks for patience", () => {
    const fault = new SiteError(500, "AttributeError", "'NoneType' object has no attribute 'x'");
    expect(site(fault)).toBeInstanceOf(SiteFault);
    expect(site(fault)).toBeInstanceOf(CrmUnavailable);
    expect(site(fault)).toMatchObject({
      reason: `AttributeError: ${fault.message}`,
      code: "AttributeError",
    });
    for (const [status, retryAfter] of [[500, "10"] as const, [503, null] as const])
      expect(failure(status, siteErrorBody(fault), retryAfter)).not.toBeInstanceOf(SiteFault);
  });

  test("shows the innermost message, without tags", () => {
    expect(site(refuse.duplicateName("WhatsApp Contact", "a@c.us"))).toMatchObject({
      message: "WhatsApp Contact a@c.us already exists",
      excType: "DuplicateEntryError",
      status: 409,
    });
  });

  test.each([
    ["60", 60],
    ["Sat, 31 Jan 2026 10:02:00 GMT", 120],
    ["soon", null],
    [null, null],
  ])("with Retry-After %s asks for that patience", (header, seconds) => {
    expect(failure(429, "", header)).toMatchObject({ retryAfterSeconds: seconds });
  });

  test("names the column it does not have, in either of its ways", () => {
    const refused = (message: string): string | null =>
      unknownField(new SiteRefusal(417, "DataError", message));
    expect(refused("Field not permitted in query: hub_state")).toBe("hub_state");
    expect(refused(`(1054, "Unknown column 'tabWhatsApp Contact.hub_state' in 'SELECT'")`)).toBe("hub_state");
    expect(refused("something else")).toBe(null);
  });
});
