/** What happens to a group, as its notifications tell it, and what it is, as Baileys reads it. */
import type { Fact, GroupChange } from "../../core/facts.ts";
import { isGroupJid, type Jid } from "../../core/jid.ts";
import { getBinaryNodeChild, getBinaryNodeChildren, type BinaryNode } from "../baileys.ts";
import { addressOrNull, isMe, type Me } from "./addresses.ts";
import { lidPair } from "./facts-of-message.ts";
import { clip, clipName, number } from "./fields.ts";

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

/** What a child that names a setting says of it. */
const SETTINGS: Record<string, GroupChange> = {
  announcement: { announce: true },
  not_announcement: { announce: false },
  locked: { restrict: true },
  unlocked: { restrict: false },
  not_ephemeral: { ephemeralSeconds: 0 },
};

function factsOfChange(child: BinaryNode, jid: Jid, by: Jid | null, me: Me): Fact[] {
  const action = ACTION[child.tag];
  if (action !== undefined) return members(child, jid, by, action, me);
  if (child.tag === "subject") return [groupFact({ jid, subject: child.attrs["subject"], by })];
  if (child.tag === "create") {
    const created = getBinaryNodeChild(child, "group") ?? child;
    const { subject, creator_pn, creator, creation } = created.attrs;
    const change = { ...NO_SETTINGS, ...bornOf(creator_pn ?? creator, creation), ...settingsIn(created) };
    return [groupFact({ jid, subject, change, by }), ...members(created, jid, by, "add", me)];
  }
  const change = settingOf(child);
  return change === null ? [] : [groupFact({ jid, change, by })];
}

/** What a new group is, unless its stanza says otherwise. */
const NO_SETTINGS: GroupChange = { announce: false, restrict: false, ephemeralSeconds: 0 };

function bornOf(creator: string | undefined, creation: unknown): GroupChange {
  const owner = addressOrNull(creator);
  const createdAt = number(creation);
  return { ...(owner === null ? {} : { owner }), ...(createdAt === 0 ? {} : { createdAt }) };
}

const settingsIn = ({ content }: BinaryNode): GroupChange =>
  (Array.isArray(content) ? content : []).reduce<GroupChange>(
    (all, child) => ({ ...all, ...settingOf(child) }),
    {},
  );

function settingOf(child: BinaryNode): GroupChange | null {
  if (child.tag === "description") return { description: textIn(getBinaryNodeChild(child, "body")) };
  if (child.tag === "ephemeral") return { ephemeralSeconds: number(child.attrs["expiration"]) };
  return SETTINGS[child.tag] ?? null;
}

function textIn(node: BinaryNode | undefined): string | null {
  const content = node?.content;
  if (typeof content === "string") return clip(content);
  return content instanceof Uint8Array ? clip(Buffer.from(content).toString("utf8")) : null;
}

/** A group as Baileys describes it, whole or in part. */
interface RawGroup {
  id?: string;
  subject?: string;
  desc?: string;
  owner?: string | undefined;
  ownerPn?: string | undefined;
  creation?: number;
  announce?: boolean;
  restrict?: boolean;
  ephemeralDuration?: number;
}

export function factsOfGroupMetadata(raw: RawGroup, live: boolean): Fact[] {
  const jid = addressOrNull(raw.id);
  if (jid === null || !isGroupJid(jid)) return [];
  const change = { ...bornOf(raw.ownerPn ?? raw.owner, raw.creation), ...settingsOf(raw) };
  if (!raw.subject && Object.keys(change).length === 0) return [];
  return [{ ...groupFact({ jid, subject: raw.subject, change, by: null }), live }];
}

function settingsOf({ desc, announce, restrict, ephemeralDuration }: RawGroup): GroupChange {
  const change: GroupChange = {};
  if (desc !== undefined) change.description = clip(desc);
  if (announce !== undefined) change.announce = announce;
  if (restrict !== undefined) change.restrict = restrict;
  if (ephemeralDuration !== undefined) change.ephemeralSeconds = ephemeralDuration;
  return change;
}

interface GroupSaid {
  jid: Jid;
  subject?: string | null | undefined;
  change?: GroupChange;
  by: Jid | null;
}

const groupFact = ({ jid, subject, change, by }: GroupSaid): Fact & { kind: "group" } => ({
  kind: "group",
  jid,
  subject: subject ? clipName(subject) : null,
  ...(change === undefined ? {} : { change }),
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
