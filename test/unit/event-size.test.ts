/** Bodies stay within 256 KiB and tell when something was left out. */
import { expect, test } from "vitest";
import { eventBody, type HubEvent } from "../../hub/contract/events.ts";
import { fittingBody } from "../../hub/core/event-size.ts";

const HREF = "https://hub.example/api/messages/s1/a";
const anEvent = (message: Record<string, unknown>): HubEvent => ({
  id: "evt_1",
  seq: 1,
  event: "message.received",
  sessionId: "s1",
  timestamp: "2026-01-31T10:00:00.000Z",
  data: { sessionId: "s1", session_db_id: 1, message },
});
const parse = (body: string): HubEvent => JSON.parse(body) as HubEvent;

test("a body that fits is left as it is, also one of 65,536 letters", () => {
  const event = anEvent({ id: "A", content: "x".repeat(65_536), body: "x".repeat(65_536) });
  expect(fittingBody(event, HREF)).toBe(eventBody(event));
});

test("texts too long in bytes are cut, everything else stays, and the event says so", () => {
  const emoji = "🚀".repeat(32_768);
  const body = fittingBody(
    anEvent({ id: "A", content: emoji, body: emoji, caption: emoji, media: { mimetype: "x" } }),
    HREF,
  );
  expect(Buffer.byteLength(body)).toBeLessThanOrEqual(256 * 1024);
  const { data } = parse(body);
  expect(data).toMatchObject({ truncated: true, href: HREF, message: { id: "A", media: { mimetype: "x" } } });
  expect(Object.keys(data).slice(0, 2)).toEqual(["sessionId", "session_db_id"]);
});

test("what cannot be cut enough keeps nothing but where to look", () => {
  const contacts = Array.from({ length: 5000 }, (_, n) => ({ name: `${n}`, vcard: "v".repeat(200) }));
  expect(parse(fittingBody(anEvent({ contacts }), HREF)).data).toEqual({
    sessionId: "s1",
    session_db_id: 1,
    truncated: true,
    href: HREF,
  });
});
