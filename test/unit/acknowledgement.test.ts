import { describe, expect, test } from "vitest";
import { judge, parseRetryAfter, type Answer } from "../../hub/core/acknowledgement.ts";
import { T0 } from "../support/builders.ts";

const answered = (
  status: number,
  body: unknown = "",
  more: Partial<Answer & { kind: "answered" }> = {},
): Answer => ({
  kind: "answered",
  status,
  retryAfter: null,
  body: typeof body === "string" ? body : JSON.stringify(body),
  bodyState: "whole",
  ...more,
});
const unanswered = (code: string, timedOut = false): Answer => ({ kind: "unanswered", code, timedOut });
const byBody = (answer: Answer) => judge(answer, "body", T0);

describe("acknowledged by its body", () => {
  test.each([
    ["nothing", ""],
    ["white space", " \n"],
    ["success", { success: true }],
    ["a Frappe answer", { message: { success: true } }],
    ["a friendly text", { message: "ok" }],
    ["a list", [false]],
    ["a word", '"false"'],
    ["a failure deeper down", { data: { success: false } }],
    ["a processed event", { success: true, processed: { processed: true } }],
  ])("%s", (_what, body) => {
    expect(byBody(answered(200, body))).toEqual({ outcome: "acknowledged", status: 200, note: null });
  });

  test.each([
    ["a login page", answered(200, "<html>please log in</html>")],
    ["JSON that ends too early although the answer was whole", answered(200, '{"success":fal')],
    ["a body too long to read", answered(200, "   ", { bodyState: "unread" })],
    ["a page that was cut", answered(200, "<html>", { bodyState: "cut" })],
  ])("and flagged: %s", (_what, answer) => {
    expect(byBody(answer)).toMatchObject({ outcome: "acknowledged", note: "ack_unread" });
  });
});

describe("refused by its body", () => {
  test.each([
    [{ success: false }, "event", "success: false"],
    [{ success: false, error: "no such customer" }, "event", "no such customer"],
    [{ message: { success: false, error: "no such customer" } }, "event", "no such customer"],
    [{ success: false, error: { message: "too long" } }, "event", "too long"],
    [{ success: false, error: "Invalid signature" }, "endpoint", "Invalid signature"],
    [{ message: { success: false, message: "Invalid signature." } }, "endpoint", "Invalid signature."],
    [{ error: "Invalid signature" }, "endpoint", "Invalid signature"],
    [{ success: false, error: "Session not found: s1" }, "soft", "Session not found: s1"],
    [
      { success: true, processed: { processed: false, error: "Message not found" } },
      "soft",
      "Message not found",
    ],
    [{ processed: false, reason: "Conversation not found" }, "soft", "Conversation not found"],
  ])("%j", (body, failure, error) => {
    expect(byBody(answered(200, body))).toMatchObject({ outcome: "failed", failure, status: 200, error });
  });

  test.each([
    [{ success: false, error: "Unknown event: chat.updated" }, "Unknown event: chat.updated"],
    [{ success: true, processed: false }, "processed: false"],
    [{ message: { success: true, processed: { processed: false, reason: "bot is off" } } }, "bot is off"],
  ])("never needed: %j", (body, note) => {
    expect(byBody(answered(200, body))).toEqual({ outcome: "skipped", status: 200, note });
  });

  test("JSON that broke off is no acknowledgement", () => {
    for (const body of ["", '{"succ', "[", "tru"])
      expect(byBody(answered(200, body, { bodyState: "cut" }))).toMatchObject({
        failure: "endpoint",
        error: "ack_incomplete",
      });
  });

  test("does not matter where the status alone counts", () => {
    for (const answer of [answered(200, { success: false }), answered(204, '{"a', { bodyState: "cut" })])
      expect(judge(answer, "status", T0)).toMatchObject({ outcome: "acknowledged", note: null });
  });
});

describe("by its status", () => {
  test.each([400, 409, 413, 415, 417, 422, 301, 302, 307])("%i is about the event", (status) => {
    expect(byBody(answered(status))).toMatchObject({
      failure: "event",
      error: `HTTP ${status}`,
      slow: false,
    });
  });

  test.each([401, 403, 404, 405, 408, 419, 500, 502, 503, 599])("%i is about the endpoint", (status) => {
    expect(byBody(answered(status))).toMatchObject({ failure: "endpoint", pause: false, slow: false });
  });

  test("410 pauses, 429 is slow", () => {
    expect(byBody(answered(410))).toMatchObject({ failure: "endpoint", pause: true });
    expect(byBody(answered(429, "", { retryAfter: "120" }))).toMatchObject({
      slow: true,
      retryAfterSeconds: 120,
    });
  });

  test("a refusal by status is not softened by a friendly body", () => {
    expect(judge(answered(422, { success: true }), "status", T0)).toMatchObject({ failure: "event" });
  });
});

describe("without an answer", () => {
  test.each([
    "ECONNREFUSED",
    "ENOTFOUND",
    "ECONNRESET",
    "CERT_HAS_EXPIRED",
    "HPE_INVALID_CONSTANT",
    "ADDRESS_REFUSED",
  ])("%s is the endpoint's", (code) => {
    expect(byBody(unanswered(code))).toMatchObject({
      failure: "endpoint",
      status: null,
      error: code,
      slow: false,
    });
  });

  test.each(["EAI_AGAIN", "ENETUNREACH", "EMFILE", "ENOMEM"])("%s is our own", (code) => {
    expect(byBody(unanswered(code))).toMatchObject({ failure: "hub" });
  });

  test("a timeout is slow", () => {
    expect(byBody(unanswered("ETIMEDOUT", true))).toMatchObject({ failure: "endpoint", slow: true });
  });
});

test.each([
  ["120", 120],
  [" 7 ", 7],
  [new Date(T0.getTime() + 90_000).toUTCString(), 90],
  [new Date(T0.getTime() - 90_000).toUTCString(), 0],
  ["1000000000", 1_000_000_000],
  ["soon", null],
  ["-5", null],
  ["1e3", null],
  ["2026", 2026],
  ["tomorrow 5", null],
  [null, null],
])("Retry-After %j is %j seconds", (text, seconds) => {
  expect(parseRetryAfter(text, T0)).toBe(seconds);
});
