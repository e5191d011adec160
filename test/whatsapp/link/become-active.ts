/** The companion is ready: what waited for it goes out, then (once) the phone hands over its history. */
import { startDelivery } from "../mail/delivery.ts";
import type { Companion } from "../state/companion.ts";
import type { World } from "../world.ts";

export function becomeActive(companion: Companion, world: World): void {
  if (!companion.connection || companion.live || companion.state !== "linked") return;
  startDelivery(companion, world);
  if (!companion.historySent) {
    companion.historySent = true;
    companion.account.history.sendTo(companion);
  }
  world.events.emit({ type: "online", account: companion.account.number, device: companion.device });
}
