/** Groups: who is in, who leads, and how their members are addressed. */
import type { Addressing } from "./people.ts";

export interface Group {
  /** Without server. */
  readonly id: string;
  subject: string;
  description?: string | undefined;
  /** Numbers. */
  owner: string;
  members: Set<string>;
  admins: Set<string>;
  addressing: Addressing;
  /** Unix seconds. */
  createdAt: number;
  announcement: boolean;
  locked: boolean;
  ephemeralSeconds: number;
  inviteCode: string;
  /** Per member (number) of the emulator: which devices were told the key the member writes with. */
  told: Map<string, Set<string>>;
  pictureId?: string | undefined;
}

export interface NewGroup {
  id: string;
  subject: string;
  owner: string;
  members: string[];
  addressing: Addressing;
  createdAt: number;
  description?: string | undefined;
}

export interface Groups {
  add(group: NewGroup): Group;
  get(idOrJid: string): Group | undefined;
  ofMember(pn: string): Group[];
}

export function createGroups(): Groups {
  const groups = new Map<string, Group>();
  return {
    add(fresh) {
      const group: Group = {
        ...fresh,
        members: new Set([fresh.owner, ...fresh.members]),
        admins: new Set([fresh.owner]),
        announcement: false,
        locked: false,
        ephemeralSeconds: 0,
        inviteCode: `Invite${fresh.id.slice(-12)}`,
        told: new Map(),
      };
      groups.set(fresh.id, group);
      return group;
    },
    get: (idOrJid) => groups.get(idOrJid.split("@")[0] ?? ""),
    ofMember: (pn) => [...groups.values()].filter((group) => group.members.has(pn)),
  };
}
