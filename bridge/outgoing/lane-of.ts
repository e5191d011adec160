/** Orders to one recipient go out in their order, in whichever of the usual ways the recipient was written. */
const PERSON = /(:\d+)?(@(c\.us|s\.whatsapp\.net))?$/;
/** A device, which an address of another kind may name as well. */
const DEVICE = /(:\d+)?(?=@)/;
/** What people write between digits; a hyphen makes of them a phone number, or the id of an old group. */
const PUNCTUATION = /[\s+().]/g;
/** What the hub takes for a group though nothing says so: the id of an old group, or more digits than a phone number has. */
const OLD_GROUP = /^\d{6,15}-1\d{9}$/;
const LONG = /^\d{16,}$/;

export function laneOf({ sessionId, to }: { sessionId: string; to: string }): string {
  const user = to.trim().toLowerCase().replace(PERSON, "");
  if (user.includes("@")) return `${sessionId} ${user.replace(DEVICE, "")}`;
  const bare = user.replace(PUNCTUATION, "");
  if (OLD_GROUP.test(user) || LONG.test(bare)) return `${sessionId} ${bare}@g.us`;
  return `${sessionId} ${user.replace(/\D/g, "")}`;
}
