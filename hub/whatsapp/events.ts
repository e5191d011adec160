/** What Baileys derives from the synced state of the account (names, archive, pins, blocks) → facts. */
import type { Fact } from "../core/facts.ts";
import type { AuthenticationCreds, GroupMetadata, WASocket } from "./baileys.ts";
import type { Generation } from "./generation.ts";
import type { EmittedChunk, HistoryRecorder } from "./history-recorder.ts";
import type { Journal } from "./journal.ts";
import { meOf } from "./message-of-stanza.ts";
import { addressOrNull, type Me } from "./translate/addresses.ts";
import { factsOfChatUpdate, factsOfContact, type RawContact } from "./translate/chats-and-contacts.ts";
import { belongTogether } from "./translate/facts-of-message.ts";
import { factsOfGroupMetadata } from "./translate/groups.ts";

export function recordEvents({
  socket,
  journal,
  generation,
  creds,
  history,
}: {
  socket: WASocket;
  journal: Journal;
  generation: Generation;
  creds: AuthenticationCreds;
  history: HistoryRecorder;
}): void {
  const { ev } = socket;
  // The first connection tells how everything stands; later ones tell what changed.
  const isFirst = creds.accountSyncCounter === 0;
  const record = (factsOf: (me: Me, live: boolean) => Fact[]): void => {
    const me = meOf(creds);
    if (me !== null && !generation.isFenced()) journal.putFacts({ facts: factsOf(me, !isFirst), closes: [] });
  };
  const contacts = (all: RawContact[], fromAddressBook: boolean): void =>
    record((me, live) => all.flatMap((contact) => factsOfContact(contact, me, { live, fromAddressBook })));

  hearFetched(ev, history);
  ev.on("messaging-history.set", (chunk) => history.received(chunk));
  ev.on("contacts.upsert", (all) => contacts(all, true));
  ev.on("contacts.update", (all) => contacts(all.map(withoutName), false));
  ev.on("chats.update", (all) => record((_me, live) => all.flatMap((chat) => factsOfChatUpdate(chat, live))));
  ev.on("lid-mapping.update", ({ lid, pn }) =>
    record((me) => {
      const pair = { lid: addressOrNull(lid) ?? "", phone: addressOrNull(pn) ?? "" };
      return belongTogether(pair, me) ? [{ kind: "lid", ...pair }] : [];
    }),
  );
  ev.on("blocklist.set", ({ blocklist }) => record(() => blocked(blocklist, true, false)));
  ev.on("blocklist.update", ({ blocklist, type }) => record(() => blocked(blocklist, type === "add", true)));
  const groups = (all: Partial<GroupMetadata>[]): void =>
    record((_me, live) => all.flatMap((group) => factsOfGroupMetadata(group, live)));
  ev.on("groups.upsert", groups);
  ev.on("groups.update", groups);
}

/** What Baileys emits, before its buffer merges it with what came before. */
function hearFetched(ev: WASocket["ev"], history: HistoryRecorder): void {
  const emit = ev.emit.bind(ev);
  ev.emit = (event, data) => {
    // The map of events says that this name has this data.
    if (event === "messaging-history.set") history.fetched(data as EmittedChunk);
    return emit(event, data);
  };
}

/** A message's push name is taken from its stanza; here it would only repeat what Baileys read there. */
const withoutName = ({ id, imgUrl }: RawContact): RawContact => ({
  id: id ?? null,
  imgUrl: imgUrl ?? null,
});

const blocked = (jids: string[], isBlocked: boolean, live: boolean): Fact[] =>
  jids.flatMap((raw): Fact[] => {
    const jid = addressOrNull(raw);
    return jid === null ? [] : [{ kind: "contact", jid, change: { isBlocked }, live }];
  });
