/**
 * The phone's address book. Its names reach companions through app state (`critical_unblock_low`, index ["contact", pn]), not
 * through history; Baileys rc14 makes contacts.upsert of them (sync-action-utils.js).
 */
import { randomBytes } from "node:crypto";
import type { AppStateMutation } from "../crypto/app-state.ts";
import { deliver, stanzaKey } from "../mail/delivery.ts";
import { linkedCompanions, type Account } from "../state/account.ts";
import type { Companion } from "../state/companion.ts";
import { digitsOf, FROM_SERVER, lidJid, pnJid } from "../wire/jid.ts";
import { stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";

const COLLECTION = "critical_unblock_low";
const CONTACT_ACTION_VERSION = 2;
const NAME_COLLECTION = "critical_block";
/** One patch of WhatsApp's holds no more than about this many. */
const PATCH_SIZE = 500;

export interface SavedContact {
  pn: string;
  /** undefined: deleted from the address book. */
  name: string | undefined;
}

/** Writes the changes down; companions learn of them when they ask (announceAppState tells them to). */
export function saveContacts(
  account: Account,
  contacts: SavedContact[],
  { people }: Pick<World, "people">,
): void {
  for (let start = 0; start < contacts.length; start += PATCH_SIZE) {
    const part = contacts.slice(start, start + PATCH_SIZE);
    account.appState.patch(
      COLLECTION,
      part.map(({ pn, name }) => ({
        index: ["contact", pnJid(pn)],
        version: CONTACT_ACTION_VERSION,
        ...(name === undefined
          ? {}
          : {
              value: {
                timestamp: Date.now(),
                contactAction: {
                  fullName: name,
                  firstName: name.split(" ")[0] ?? name,
                  lidJid: lidJid(people.get(pn).lid),
                  saveOnPrimaryAddressbook: true,
                },
              },
            }),
      })),
    );
    for (const { pn, name } of part) {
      if (name === undefined) account.addressBook.delete(pn);
      else account.addressBook.set(pn, name);
    }
  }
}

/** The companion changed something: what of it the emulator itself keeps. */
export function takeOverChanges(account: Account, changes: AppStateMutation[]): void {
  for (const { index, value } of changes) {
    const [what, jid = ""] = index;
    if (what === "contact") takeOverContact(account, digitsOf(jid), value?.contactAction);
    else if (what === "setting_pushName")
      account.owner.pushName = value?.pushNameSetting?.name ?? account.owner.pushName;
  }
}

type ContactAction = NonNullable<AppStateMutation["value"]>["contactAction"];
function takeOverContact({ addressBook }: Account, pn: string, action: ContactAction): void {
  const name = action?.fullName ?? action?.firstName;
  if (name) addressBook.set(pn, name);
  else addressBook.delete(pn);
}

/** The name that the account's owner goes by; Baileys learns its own name from it. */
export function savePushName(account: Account, name: string): void {
  account.owner.pushName = name;
  account.appState.patch(NAME_COLLECTION, [
    { index: ["setting_pushName"], version: 1, value: { timestamp: Date.now(), pushNameSetting: { name } } },
  ]);
}

/** Tells companions that a collection changed; they come and ask. Not the one that made the change. */
export function announceAppState(
  account: Account,
  collection: string,
  world: Pick<World, "faults" | "events">,
  except?: Companion,
): void {
  for (const companion of linkedCompanions(account)) {
    if (companion === except) continue;
    const id = randomBytes(8).toString("hex").toUpperCase();
    const notification = stanza(
      "notification",
      { from: FROM_SERVER, type: "server_sync", id, t: Math.floor(Date.now() / 1000) },
      [stanza("collection", { name: collection, version: account.appState.version(collection) })],
    );
    deliver(
      companion,
      { key: stanzaKey("notification", id), stanza: notification, afterOffline: false },
      world,
    );
  }
}

export const announceContacts = (account: Account, world: Pick<World, "faults" | "events">): void =>
  announceAppState(account, COLLECTION, world);
