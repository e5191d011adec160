/** Arguments of methods as callers send them: read whatever they are sent as, or refused with a reason, never dropped. */
import { describe, expect, test } from "vitest";
import { APP, rigWithPeople } from "../support/bridge-rig.ts";

describe("arguments", () => {
  const path = `/api/method/${APP}.api.session.get_session_status`;

  test.each([
    [
      "JSON under a form's type, as curl -d sends it",
      '{"session_id":"s1"}',
      "application/x-www-form-urlencoded",
    ],
    ["JSON as text", ' {"session_id":"s1"}', "text/plain"],
    ["JSON of a kind", '{"session_id":"s1"}', "application/vnd.api+json; charset=utf-8"],
    ["a form", "session_id=s1", "application/x-www-form-urlencoded"],
  ])("are read from %s", async (_what, body, type) => {
    const rig = await rigWithPeople();
    const answer = await rig.call("POST", path, { body, headers: { "Content-Type": type } });
    expect(answer.message).toMatchObject({ success: true, data: { sessionId: "s1" } });
  });

  test.each([
    ["a list", '["s1"]', "application/json", "must be a JSON object"],
    ["broken JSON", '{"session_id":\n "s1",}', "application/json", "look at line 2, column 7"],
    [
      "broken JSON after empty lines",
      '\r\n\n  {"session_id":\n "s1",}\n',
      "application/json",
      "line 4, column 7",
    ],
    ["broken JSON at its beginning", "\n  {,}", "application/json", "look at line 2, column 4"],
    ["JSON that ends, and then a line,", '\n{"session_id":"s\n', "text/plain", "it ends too early"],
    ["JSON that ends", '{"session_id":"s', "text/plain", "it ends too early"],
    ["other text", "s1", "text/plain", "neither a JSON object nor a form"],
    [
      "a multipart form",
      '--x\r\nContent-Disposition: form-data; name="session_id"\r\n\r\ns1\r\n--x--\r\n',
      "multipart/form-data; boundary=x",
      "neither a JSON object nor a form",
    ],
    [
      "not the text it says it is",
      '{"session_id":"s1"}',
      "application/json; charset=utf-99",
      "send it as UTF-8",
    ],
  ])("are refused with a reason where the body is %s", async (_what, body, type, problem) => {
    const rig = await rigWithPeople();
    const answer = await rig.call("POST", `${path}?session_id=s1`, {
      body,
      headers: { "Content-Type": type },
    });
    expect([answer.status, answer.message]).toEqual([
      417,
      { success: false, code: "VALIDATION_ERROR", error: expect.stringContaining(problem) as string },
    ]);
  });

  test("a session is named by session_id or session_name, whichever the method asks for", async () => {
    const rig = await rigWithPeople();
    const status = await rig.method("api.session.get_session_status", { session_name: "s1" });
    expect(status.message).toMatchObject({ data: { sessionId: "s1" } });
    const sync = await rig.method("api.sync.sync_session_complete", { session_id: "s1" });
    expect(sync.message).toMatchObject({ success: true, session: "s1" });
    // Where both are given, the method's own word counts.
    const both = { session_id: "s1", session_name: "of no session" };
    expect((await rig.method("api.session.get_session_status", both)).status).toBe(200);
    const neither = await rig.method("api.session.get_session_status", {});
    expect([neither.status, neither.message["error"]]).toEqual([417, "session_id: is missing"]);
  });

  test.each([
    [{ full: "banana" }, "full: use 1 or 0"],
    [{ full: 7 }, "full: use 1 or 0"],
    [{ full: [1] }, "full: use 1 or 0"],
  ])("a flag that is neither yes nor no is refused: %o", async (given, problem) => {
    const rig = await rigWithPeople();
    const answer = await rig.method("api.sync.sync_session_complete", { session_name: "s1", ...given });
    expect([answer.status, answer.message["error"]]).toEqual([417, problem]);
  });

  test.each(["None", " none ", "null", "undefined", "", "  ", null])(
    "a flag that old clients send for nothing counts as not given: %j",
    async (nothing) => {
      const rig = await rigWithPeople();
      const given = { session_name: "s1", full: nothing };
      const sync = await rig.method("api.sync.sync_session_complete", given);
      expect(sync.message).toMatchObject({ success: true, session: "s1" });
      const status = await rig.method("api.sync.get_sync_status", { session_name: "s1", totals: nothing });
      expect(status.message).toMatchObject({ sessions: [{ total_contacts: expect.any(Number) as number }] });
      const cancel = await rig.method("api.messages.cancel_queued", { all: nothing });
      expect(cancel.message["error"]).toBe("Say what to cancel: queue_id, or all.");
    },
  );
});
