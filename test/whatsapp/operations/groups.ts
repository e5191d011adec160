/** Groups come into being and change; linked members are notified (`w:gp2`, Baileys rc14: handleGroupNotification). */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { groupNode } from "../iq/groups.ts";
import { deliver, stanzaKey } from "../mail/delivery.ts";
import { linkedCompanions } from "../state/account.ts";
import type { Group } from "../state/groups.ts";
import { addressOf, otherAddressOf } from "../state/people.ts";
import { digitsOf, groupJid, pnJid } from "../wire/jid.ts";
import { stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { groupOf } from "./find.ts";
import { Refusal } from "./refusal.ts";

const numbers = z.array(z.string().transform(digitsOf));

export const newGroup = z.strictObject({
  id: z.string().optional(),
  subject: z.string(),
  /** Numbers of contacts and of accounts. */
  members: numbers.min(1),
  /** Left out: the first member. */
  owner: z.string().transform(digitsOf).optional(),
  addressing: z.enum(["lid", "pn"]).default("lid"),
});
export const groupChange = z.strictObject({
  /** Who changes it: a number; left out: the owner. */
  by: z.string().transform(digitsOf).optional(),
  subject: z.string().optional(),
  description: z.string().optional(),
  /** Only admins may write; only admins may change it; after how many seconds messages disappear. */
  announcement: z.boolean().optional(),
  locked: z.boolean().optional(),
  ephemeralSeconds: z.number().int().min(0).optional(),
  add: numbers.optional(),
  remove: numbers.optional(),
  promote: numbers.optional(),
  demote: numbers.optional(),
});

export type NewGroupRequest = z.input<typeof newGroup>;
export type GroupChange = z.input<typeof groupChange>;

export interface GroupView {
  id: string;
  jid: string;
  subject: string;
  description?: string | undefined;
  owner: string;
  members: string[];
  admins: string[];
  addressing: "lid" | "pn";
}

export interface GroupOperations {
  createGroup(request: NewGroupRequest): GroupView;
  group(id: string): GroupView;
  changeGroup(id: string, change: GroupChange): GroupView;
}

export function groupOperations(world: World): GroupOperations {
  return {
    createGroup(request) {
      const {
        id = `1203639${randomBytes(5).readUIntBE(0, 5)}`,
        subject,
        members,
        addressing,
        owner = members[0] ?? "",
      } = newGroup.parse(request);
      if (world.groups.get(id)) throw new Refusal(409, `group ${id} exists`);
      const group = world.groups.add({
        id,
        subject,
        members,
        owner,
        addressing,
        createdAt: Math.floor(Date.now() / 1000),
      });
      for (const pn of group.members) world.people.get(pn);
      notifyMembers(group, owner, stanza("create", { type: "new" }, [groupNode(group, world)]), world);
      return viewOf(group);
    },
    group: (id) => viewOf(groupOf(id, world)),
    changeGroup(id, request) {
      const group = groupOf(id, world);
      const { by = group.owner, ...change } = groupChange.parse(request);
      // Who is removed is told of it as well.
      const toTell = new Set([...group.members, ...(change.add ?? [])]);
      for (const node of apply(group, change, world)) notifyMembers(group, by, node, world, toTell);
      return viewOf(group);
    },
  };
}

function apply(group: Group, change: Omit<z.output<typeof groupChange>, "by">, world: World): Stanza[] {
  const nodes: Stanza[] = [];
  if (change.subject !== undefined) {
    group.subject = change.subject;
    nodes.push(stanza("subject", { subject: change.subject, s_t: Math.floor(Date.now() / 1000) }));
  }
  if (change.description !== undefined) {
    group.description = change.description;
    nodes.push(
      stanza("description", { id: randomBytes(4).toString("hex") }, [
        stanza("body", {}, Buffer.from(change.description)),
      ]),
    );
  }
  nodes.push(...applySettings(group, change));
  const members: [string, string[] | undefined, (pn: string) => void][] = [
    ["add", change.add, (pn) => group.members.add(pn)],
    ["remove", change.remove, (pn) => void (group.members.delete(pn), group.admins.delete(pn))],
    ["promote", change.promote, (pn) => group.admins.add(pn)],
    ["demote", change.demote, (pn) => group.admins.delete(pn)],
  ];
  for (const [tag, pns, act] of members) {
    if (!pns?.length) continue;
    pns.forEach(act);
    nodes.push(
      stanza(
        tag,
        {},
        pns.map((pn) => participant(pn, group, world)),
      ),
    );
  }
  // Who left must not read on: everybody takes a new key.
  if (change.remove?.length)
    for (const pn of group.members) world.people.get(pn).party().rotateSenderKey(groupJid(group.id));
  if (change.remove?.length) group.told.clear();
  return nodes;
}

function applySettings(
  group: Group,
  { announcement, locked, ephemeralSeconds }: z.output<typeof groupChange>,
): Stanza[] {
  const nodes: Stanza[] = [];
  if (announcement !== undefined) {
    group.announcement = announcement;
    nodes.push(stanza(announcement ? "announcement" : "not_announcement"));
  }
  if (locked !== undefined) {
    group.locked = locked;
    nodes.push(stanza(locked ? "locked" : "unlocked"));
  }
  if (ephemeralSeconds !== undefined) {
    group.ephemeralSeconds = ephemeralSeconds;
    const isOff = ephemeralSeconds === 0;
    nodes.push(isOff ? stanza("not_ephemeral") : stanza("ephemeral", { expiration: ephemeralSeconds }));
  }
  return nodes;
}

function participant(pn: string, group: Group, { people }: Pick<World, "people">): Stanza {
  const person = people.get(pn);
  return group.addressing === "lid"
    ? stanza("participant", { jid: addressOf(person, "lid"), phone_number: pnJid(pn) })
    : stanza("participant", { jid: pnJid(pn), lid: addressOf(person, "lid") });
}

function notifyMembers(
  group: Group,
  by: string,
  node: Stanza,
  world: World,
  members: Iterable<string> = group.members,
): void {
  const actor = world.people.get(by);
  const other = group.addressing === "lid" ? "participant_pn" : "participant_lid";
  for (const pn of members) {
    const account = world.accounts.get(pn);
    for (const companion of account ? linkedCompanions(account) : []) {
      const id = randomBytes(8).toString("hex").toUpperCase();
      const notification = stanza(
        "notification",
        {
          from: groupJid(group.id),
          type: "w:gp2",
          id,
          t: Math.floor(Date.now() / 1000),
          participant: addressOf(actor, group.addressing),
          [other]: otherAddressOf(actor, group.addressing),
          addressing_mode: group.addressing,
          notify: actor.pushName,
        },
        [node],
      );
      deliver(
        companion,
        { key: stanzaKey("notification", id), stanza: notification, afterOffline: false },
        world,
      );
    }
  }
}

const viewOf = ({ id, subject, description, owner, members, admins, addressing }: Group): GroupView => ({
  id,
  jid: groupJid(id),
  subject,
  description,
  owner,
  members: [...members],
  admins: [...admins],
  addressing,
});
