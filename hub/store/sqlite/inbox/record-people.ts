/** What facts about people and chats change, and of members, calls and history. */
import type { ChatChange, ContactChange, Fact } from "../../../core/facts.ts";
import { isPhoneJid, type Jid } from "../../../core/jid.ts";
import type { Addresses } from "./addresses.ts";
import type { Chats } from "./chats.ts";
import type { Contacts } from "./contacts.ts";
import type { Imports } from "./imports.ts";
import type { LidMerge } from "./lid-merge.ts";
import type { Stats } from "./stats.ts";
import type { Appliers, Tell, Work } from "./work.ts";

interface Parts {
  tell: Tell;
  addresses: Addresses;
  chats: Chats;
  contacts: Contacts;
  imports: Imports;
  stats: Stats;
  mergeLid: LidMerge;
}

type PeopleKind = Exclude<Fact["kind"], "message" | "edit" | "revoke" | "reaction" | "status" | "group">;

export function createRecordPeople({
  tell,
  addresses,
  chats,
  contacts,
  imports,
  stats,
  mergeLid,
}: Parts): Appliers<PeopleKind> {
  const mapIn =
    (work: Work) =>
    (jid: Jid): Jid =>
      addresses.map(work.session.id, jid);

  const learn = (work: Work, lid: Jid, phone: Jid): void => {
    const { session, now } = work;
    if (!addresses.learn(session, lid, phone)) return;
    const merged = mergeLid(session, lid, phone, now);
    if (merged !== null) tell(work, { kind: "merged", lid, phone, conversationId: merged.conversationId });
  };

  const changeContact = (work: Work, jid: Jid, change: ContactChange, live: boolean): void => {
    const { session, now } = work;
    const changed = contacts.change(session, jid, change, now);
    if (changed === null || !live) return;
    const { contact, before } = changed;
    tell(work, { kind: "contact", contact });
    chats.contactRenamed(session.id, jid, { before, after: contact }, now);
  };

  const changeChat = (work: Work, jid: Jid, change: ChatChange, live: boolean): void => {
    const changed = chats.change(work.session, jid, change, { live, now: work.now });
    if (changed !== null && live) tell(work, { kind: "chat", ...changed });
  };

  return {
    lid: (work, { lid, phone }) => {
      learn(work, lid, phone);
    },
    contact: (work, { jid, lid, change, live }) => {
      const mapped = mapIn(work)(jid);
      if (lid !== undefined && lid !== null && isPhoneJid(mapped)) learn(work, lid, mapped);
      changeContact(work, mapped, change, live);
    },
    profile: (work, { jid, lookedUpAt }) => {
      contacts.lookedUp(work.session.id, mapIn(work)(jid), lookedUpAt);
    },
    chat: (work, { jid, change, live }) => {
      changeChat(work, mapIn(work)(jid), change, live);
    },
    "chat-read": (work, fact) => {
      const jid = mapIn(work)(fact.jid);
      // A conversation that nobody wrote in yet is not made by being read.
      if (chats.find(work.session.id, jid) !== undefined) changeChat(work, jid, { unreadCount: 0 }, true);
    },
    participants: (work, fact) => {
      if (work.repeated) return;
      const map = mapIn(work);
      const by = fact.by === null ? null : map(fact.by);
      tell(work, { ...fact, participants: fact.participants.map(map), by });
    },
    call: (work, fact) => {
      // What follows the offer (ringing, timeout …) says nothing new to a CRM.
      if (!work.repeated && fact.status === "offer") tell(work, { ...fact, from: mapIn(work)(fact.from) });
    },
    history: (work, fact) => {
      if (work.repeated) return;
      const isOver = fact.import ? imports.took(work.session.id, fact) : fact.done;
      if (isOver) tell(work, { kind: "history", ...stats.coverage(work.session) });
    },
    "history-paused": (work, { lacking }) => {
      if (imports.paused(work.session.id, lacking))
        tell(work, { kind: "history", ...stats.coverage(work.session) });
    },
  };
}
