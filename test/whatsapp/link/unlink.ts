/** The end of a link: by the phone ("log out" in its list of devices) or by the companion's own logout. Final for those keys. */
import type { Companion } from "../state/companion.ts";
import { stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { streamError } from "./connection.ts";

const LOGGED_OUT = 401;

export function unlink(
  companion: Companion,
  by: "phone" | "companion",
  { events }: Pick<World, "events">,
): void {
  companion.state = "removed";
  companion.live = false;
  companion.queue.clear();
  events.emit({
    type: "unlinked",
    account: companion.account.number,
    device: companion.device,
    detail: { by },
  });
  companion.connection?.endWith(streamError(LOGGED_OUT, stanza("conflict", { type: "device_removed" })));
}
