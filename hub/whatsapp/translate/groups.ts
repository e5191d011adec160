/** What happens to a group, as its notifications tell it. */
import type { Fact } from "../../core/facts.ts";
import { isGroupJid, type Jid } from "../../core/jid.ts";
import { getBinaryNodeChild, getBinaryNodeChildren, type BinaryNode } from "../baileys.ts";
import { addressOrNull, isMe, type Me } from "./addresses.ts";
import { lidPair } from "./facts-of-message.ts";
import { clipName } from "./fields.ts";

type Action = "add" | "remove" | "promote" | "demote";

const ACTION: Record<string, Action> = {
  add: "add",
  remove: "remove",
  leave: "remove",
  promote: "promote",
  demote: "demote",
};

/** A notification of type `w:gp2`: one or more children, each a change. */
export function factsOfGroupNotification({ attrs, content }: BinaryNode, me: Me): Fact[] {
  const jid = addressOrNull(attrs["from"]);
  if (jid === null || !isGroupJid(jid) || !Array.isArray(content)) return [];
  const by = addressOrNull(attrs["participant_pn"] ?? attrs["participant"]);
  return content.flatMap((child) => factsOfChange(child, jid, by, me));
}

function factsOfChange(child: BinaryNode, jid: Jid, by: Jid | null, me: Me): Fact[] {
  const action = ACTION[child.tag];
  if (action !== undefined) return members(child, jid, by, action, me);
  switch (child.tag) {
    case "subject":
      return [group(jid, child.attrs["subject"], by)];
    case "create": {
      const created = getBinaryNodeChild(child, "group") ?? child;
      return [group(jid, created.attrs["subject"], by), ...members(created, jid, by, "add", me)];
    }
    case "announcement":
    case "not_announcement":
    case "locked":
    case "unlocked":
    case "description":
      return [group(jid, null, by)];
    default:
      return [];
  }
}

const group = (jid: Jid, subject: string | null | undefined, by: Jid | null): Fact => ({
  kind: "group",
  jid,
  subject: subject ? clipName(subject) : null,
  by,
  live: true,
});

function members(node: BinaryNode, jid: Jid, by: Jid | null, action: Action, me: Me): Fact[] {
  const facts: Fact[] = [];
  const participants: Jid[] = [];
  for (const { attrs } of getBinaryNodeChildren(node, "participant")) {
    const address = addressOrNull(attrs["jid"]);
    if (address === null) continue;
    participants.push(address);
    const other = addressOrNull(attrs["phone_number"] ?? attrs["lid"]);
    const pair = other === null ? null : lidPair(address, other);
    if (pair !== null) facts.push({ kind: "lid", ...pair });
  }
  if (participants.length === 0) return [];
  facts.push({ kind: "participants", jid, action, participants, by });
  // Whoever is put out of a group can read it and no longer write.
  if ((action === "add" || action === "remove") && participants.some((who) => isMe(who, me)))
    facts.push({ kind: "chat", jid, change: { isReadOnly: action === "remove" }, live: true });
  return facts;
}
