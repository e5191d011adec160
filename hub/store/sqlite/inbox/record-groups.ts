/** What facts about a group itself change: its name and description are its contact's, its chat has the name as well. */
import type { Jid } from "../../../core/jid.ts";
import type { Addresses } from "./addresses.ts";
import type { Chats } from "./chats.ts";
import type { Contacts } from "./contacts.ts";
import type { Groups } from "./groups.ts";
import type { Appliers, FactOf, Tell, Work } from "./work.ts";

interface Parts {
  tell: Tell;
  addresses: Addresses;
  chats: Chats;
  contacts: Contacts;
  groups: Groups;
}

export function createRecordGroups({ tell, addresses, chats, contacts, groups }: Parts): Appliers<"group"> {
  const rename = ({ session, now }: Work, jid: Jid, name: string | null) =>
    name === null ? null : chats.change(session, jid, { name }, { live: false, now });

  /** True when something changed. */
  const changeContact = ({ session, now }: Work, { jid, subject, change }: FactOf<"group">): boolean => {
    const described = change?.description === undefined ? {} : { about: change.description };
    const said = { ...(subject === null ? {} : { name: subject }), ...described };
    return Object.keys(said).length > 0 && contacts.change(session, jid, said, now) !== null;
  };

  const changeDetails = ({ session }: Work, { jid, change = {} }: FactOf<"group">): boolean => {
    const owner = change.owner === undefined ? {} : { owner: addresses.map(session.id, change.owner) };
    return groups.change(session.id, jid, { ...change, ...owner });
  };

  const tellAll = (work: Work, jid: Jid, by: Jid | null): void => {
    const { session } = work;
    const contact = contacts.get(session, jid);
    tell(work, {
      kind: "group",
      jid,
      subject: contact?.name ?? null,
      details: { description: contact?.about ?? null, ...groups.of(session.id, jid) },
      by: by === null ? null : addresses.map(session.id, by),
    });
  };

  return {
    group: (work, fact) => {
      const { jid, subject, by, live } = fact;
      const chat = rename(work, jid, subject);
      const isRenamed = chat?.others === true;
      // Each has to be done, whatever the others find.
      const changes = [isRenamed, changeContact(work, fact), changeDetails(work, fact)];
      if (!live || !changes.includes(true)) return;
      tellAll(work, jid, by);
      if (isRenamed) chats.mark(chat.chat.conversationId);
    },
  };
}
