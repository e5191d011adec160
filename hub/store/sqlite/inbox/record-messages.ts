/** What facts about messages change: new ones, edits, revokes, reactions, statuses; also those that came too early. */
import { isGroupJid, type Jid } from "../../../core/jid.ts";
import type { Message } from "../../../core/message.ts";
import type { MediaRows } from "../media.ts";
import type { Addresses } from "./addresses.ts";
import type { EarlyChanges, EarlyFact } from "./early-changes.ts";
import type { Messages } from "./messages.ts";
import type { Appliers, FactOf, Tell, Work } from "./work.ts";

interface Parts {
  tell: Tell;
  addresses: Addresses;
  messages: Messages;
  early: EarlyChanges;
  media: MediaRows;
}

/** True when the message was there, whether or not anything changed. */
type Changer<K extends EarlyFact["kind"]> = (work: Work, fact: FactOf<K>) => boolean;

export function createRecordMessages({
  tell,
  addresses,
  messages,
  early,
  media,
}: Parts): Appliers<"message" | EarlyFact["kind"]> {
  const edit: Changer<"edit"> = (work, fact) => {
    const edited = messages.edit(work.session, fact, work.now);
    if (edited === "unknown") return false;
    if (edited !== null) tell(work, { kind: "edited", message: edited.message, at: fact.at });
    return true;
  };

  const revoke: Changer<"revoke"> = (work, fact) => {
    const revoked = messages.revoke(work.session, fact, work.now);
    if (revoked === "unknown") return false;
    const { at, forEveryone } = fact;
    const by = addresses.map(work.session.id, fact.by);
    if (revoked !== null) tell(work, { kind: "deleted", target: revoked.message, by, at, forEveryone });
    return true;
  };

  const react: Changer<"reaction"> = (work, fact) => {
    const reacted = messages.react(work.session, fact, work.now);
    if (reacted === "unknown") return false;
    const { fromMe, emoji, atMs } = fact;
    const from = addresses.map(work.session.id, fact.from);
    if (reacted !== null && (fact.live || !work.untold.has(reacted.n)))
      tell(work, { kind: "reacted", target: reacted.message, from, fromMe, emoji, atMs });
    return true;
  };

  /** For the first of the ids. */
  const raise: Changer<"status"> = (work, fact) => {
    const { chatId, ids, status, at, participant, isPlayed = false, code, error } = fact;
    const [id = ""] = ids;
    const raised = messages.raise(work.session, { chatId, id, status, isPlayed }, work.now);
    if (raised === "unknown") return false;
    if (raised === null) return true;
    const { message } = raised;
    const inGroup = participant !== null && isGroupJid(message.chatId);
    tell(work, {
      kind: "status",
      message,
      status,
      at,
      participant: inGroup ? addresses.map(work.session.id, participant) : null,
      code: code ?? null,
      error: error ?? null,
    });
    return true;
  };

  const change = (work: Work, fact: EarlyFact): boolean => {
    switch (fact.kind) {
      case "edit":
        return edit(work, fact);
      case "revoke":
        return revoke(work, fact);
      case "reaction":
        return react(work, fact);
      case "status":
        return raise(work, fact);
    }
  };

  const changeOrKeep = (work: Work, fact: EarlyFact, chat: Jid, id: string): void => {
    if (change(work, fact)) return;
    const { session, now } = work;
    early.keep({ session: session.id, chatId: addresses.map(session.id, chat), id }, fact, now);
  };

  /** The stand-in was told as a message; what it stood for is told whatever way it came. */
  const heal = (work: Work, given: Message): void => {
    const { session, now } = work;
    const whole = messages.heal(session, given, now);
    if (whole === null) return;
    media.attach(session.id, whole.n, whole.message, now);
    tell(work, { kind: "healed", message: whole.message });
  };

  const ofTarget = (work: Work, fact: FactOf<"edit" | "revoke" | "reaction">): void => {
    changeOrKeep(work, fact, fact.target.chatId, fact.target.id);
  };

  return {
    message: (work, { message: given, live }) => {
      const { session, now } = work;
      const stored = messages.insert(session, given, { live, now });
      if (stored === null) {
        heal(work, given);
        return;
      }
      const { n, message } = stored;
      media.attach(session.id, n, message, now);
      work.stored.push({ n, message });
      if (live) tell(work, { kind: "stored", message });
      else work.untold.add(n);
      early.take({ session: session.id, chatId: message.chatId, id: message.id }, (fact) =>
        change(work, fact),
      );
    },
    edit: ofTarget,
    revoke: ofTarget,
    reaction: ofTarget,
    status: (work, fact) => {
      for (const id of fact.ids) changeOrKeep(work, { ...fact, ids: [id] }, fact.chatId, id);
    },
  };
}
