/** Orders to one recipient go out in their order, in whichever of the usual ways the recipient was written. */
const PERSON = /(:\d+)?@(c\.us|s\.whatsapp\.net)$/;
/** What the hub takes for a group though nothing says so: two numbers with a dash, or more digits than a phone number has. */
const GROUP = /^(\d+-\d+|\d{16,})$/;

export function laneOf({ sessionId, to }: { sessionId: string; to: string }): string {
  const user = to.trim().toLowerCase().replace(PERSON, "");
  if (user.includes("@")) return `${sessionId} ${user}`;
  if (GROUP.test(user)) return `${sessionId} ${user}@g.us`;
  return `${sessionId} ${user.replace(/\D/g, "")}`;
}
