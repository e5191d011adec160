/** Keeps the bytes of an event within what receivers take: long texts are cut, and the event says where the whole is. */
import { eventBody, type HubEvent } from "../contract/events.ts";

const LARGEST_BODY = 256 * 1024;
/** Lengths texts are cut to, until the body fits. */
const CUTS = [8192, 1024, 128];

const fits = (body: string): boolean =>
  body.length * 3 <= LARGEST_BODY || Buffer.byteLength(body) <= LARGEST_BODY;

/** The bytes to freeze. `href` is where the whole of it can be read. */
export function fittingBody(event: HubEvent, href: string): string {
  const whole = eventBody(event);
  if (fits(whole)) return whole;
  for (const length of CUTS) {
    const data = { ...cutTexts(event.data, length), truncated: true, href };
    const body = eventBody({ ...event, data });
    if (fits(body)) return body;
  }
  const { sessionId, session_db_id } = event.data;
  return eventBody({ ...event, data: { sessionId, session_db_id, truncated: true, href } });
}

const cutTexts = (object: Record<string, unknown>, length: number): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, cutValue(value, length)]));

function cutValue(value: unknown, length: number): unknown {
  if (typeof value === "string") return value.length > length ? cutText(value, length) : value;
  if (Array.isArray(value)) return value.map((item) => cutValue(item, length));
  return typeof value === "object" && value !== null ? cutTexts({ ...value }, length) : value;
}

/** Without half of a character at the end. */
const cutText = (text: string, length: number): string =>
  text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
