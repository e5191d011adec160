/** `w:g2`: groups as Baileys rc14 reads them (groups.js, extractGroupMetadata), and what a member can change. */
import { randomBytes } from "node:crypto";
import type { Group } from "../state/groups.ts";
import { addressOf, type Person } from "../state/people.ts";
import { groupJid, parseJid, pnJid } from "../wire/jid.ts";
import { childOf, childrenOf, stanza, textOf, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { iqError, OK, type IqHandler, type IqRequest } from "./answer.ts";

type Parts = Pick<World, "groups" | "people">;

export function groupNode(group: Group, { people }: Pick<World, "people">): Stanza {
  const owner = people.get(group.owner);
  const members = [...group.members].map((pn) => memberNode(people.get(pn), group));
  return stanza(
    "group",
    {
      id: group.id,
      subject: group.subject,
      s_t: group.createdAt,
      s_o: addressOf(owner, group.addressing),
      creation: group.createdAt,
      creator: addressOf(owner, group.addressing),
      creator_pn: pnJid(owner.pn),
      addressing_mode: group.addressing,
      size: members.length,
    },
    [
      ...members,
      ...(group.description === undefined
        ? []
        : [
            stanza("description", { id: "D1", t: group.createdAt }, [
              stanza("body", {}, Buffer.from(group.description)),
            ]),
          ]),
      ...(group.announcement ? [stanza("announcement")] : []),
      ...(group.locked ? [stanza("locked")] : []),
      ...(group.ephemeralSeconds ? [stanza("ephemeral", { expiration: group.ephemeralSeconds })] : []),
    ],
  );
}

function memberNode(person: Person, group: Group): Stanza {
  const type = person.pn === group.owner ? "superadmin" : group.admins.has(person.pn) ? "admin" : undefined;
  return group.addressing === "lid"
    ? stanza("participant", { jid: addressOf(person, "lid"), phone_number: pnJid(person.pn), type })
    : stanza("participant", { jid: pnJid(person.pn), lid: addressOf(person, "lid"), type });
}

export const groupMetadata: IqHandler = ({ iq }, world) => {
  const group = world.groups.get(iq.attrs["to"] ?? "");
  return group ? [groupNode(group, world)] : iqError(404, "item-not-found");
};

export const participating: IqHandler = ({ companion: { account } }, world) => [
  stanza(
    "groups",
    {},
    world.groups.ofMember(account.number).map((group) => groupNode(group, world)),
  ),
];

export const createGroup: IqHandler = ({ query, companion: { account } }, world) => {
  const members = childrenOf(query).flatMap(({ attrs }) => memberOf(attrs["jid"], world) ?? []);
  const group = world.groups.add({
    id: `1203630${randomBytes(5).readUIntBE(0, 5)}`,
    subject: query.attrs["subject"] ?? "",
    owner: account.number,
    members,
    addressing: "lid",
    createdAt: Math.floor(Date.now() / 1000),
  });
  return [groupNode(group, world)];
};

const memberOf = (jid: string | undefined, { people }: Pick<World, "people">): string | undefined =>
  jid === undefined
    ? undefined
    : (people.find(jid)?.pn ?? (jid.endsWith("@lid") ? undefined : people.get(parseJid(jid).user).pn));

const groupOf = ({ iq }: IqRequest, { groups }: Parts): Group | undefined => groups.get(iq.attrs["to"] ?? "");

/** Changes of a group by name of the child; each is answered by an echo with what became of it. */
const CHANGES: Record<string, (group: Group, query: Stanza, world: Parts) => Stanza[]> = {
  subject: (group, query) => {
    group.subject = textOf(query) ?? "";
    return OK;
  },
  description: (group, query) => {
    group.description = textOf(childOf(query, "body"));
    return OK;
  },
  add: (group, query, world) => changeMembers(query, world, (pn) => group.members.add(pn)),
  remove: (group, query, world) =>
    changeMembers(query, world, (pn) => {
      group.members.delete(pn);
      group.admins.delete(pn);
    }),
  promote: (group, query, world) => changeMembers(query, world, (pn) => group.admins.add(pn)),
  demote: (group, query, world) => changeMembers(query, world, (pn) => group.admins.delete(pn)),
  announcement: (group) => flag(() => (group.announcement = true)),
  not_announcement: (group) => flag(() => (group.announcement = false)),
  locked: (group) => flag(() => (group.locked = true)),
  unlocked: (group) => flag(() => (group.locked = false)),
  ephemeral: (group, { attrs }) => flag(() => (group.ephemeralSeconds = Number(attrs["expiration"] ?? 0))),
  not_ephemeral: (group) => flag(() => (group.ephemeralSeconds = 0)),
  member_add_mode: () => OK,
  membership_approval_mode: () => OK,
  invite: (group) => {
    group.inviteCode = randomBytes(8).toString("hex");
    return [stanza("invite", { code: group.inviteCode })];
  },
};

function flag(change: () => void): Stanza[] {
  change();
  return OK;
}

function changeMembers(query: Stanza, world: Parts, change: (pn: string) => void): Stanza[] {
  const answers = childrenOf(query).map(({ attrs }) => {
    const pn = memberOf(attrs["jid"], world);
    if (pn === undefined) return stanza("participant", { jid: attrs["jid"], error: 404 });
    change(pn);
    return stanza("participant", { jid: attrs["jid"] });
  });
  return [stanza(query.tag, {}, answers)];
}

export const changeGroup: IqHandler = (request, world) => {
  const group = groupOf(request, world);
  const change = CHANGES[request.query.tag];
  if (!group || !change) return iqError(404, "item-not-found");
  if (!group.members.has(request.companion.account.number)) return iqError(403, "forbidden");
  return change(group, request.query, world);
};

export const leaveGroup: IqHandler = ({ query, companion: { account } }, { groups }) => {
  for (const { attrs } of childrenOf(query)) groups.get(attrs["id"] ?? "")?.members.delete(account.number);
  return OK;
};

export const inviteCode: IqHandler = (request, world) => {
  const group = groupOf(request, world);
  return group ? [stanza("invite", { code: group.inviteCode })] : iqError(404, "item-not-found");
};

/** By invitation: who it is (get) or joining (set). */
const byInvite = (
  { query }: IqRequest,
  { groups, accounts }: Pick<World, "groups" | "accounts">,
): Group | undefined =>
  [...accounts.keys()]
    .flatMap((number) => groups.ofMember(number))
    .find((group) => group.inviteCode === query.attrs["code"]);

export const inviteInfo: IqHandler = (request, world) => {
  const group = byInvite(request, world);
  return group ? [groupNode(group, world)] : iqError(404, "item-not-found");
};

export const acceptInvite: IqHandler = (request, world) => {
  const group = byInvite(request, world);
  if (!group) return iqError(404, "item-not-found");
  group.members.add(request.companion.account.number);
  return [stanza("group", { jid: groupJid(group.id) })];
};
