/** Many messages at a rate: from several contacts in turn, to one or several accounts, into groups if wanted. */
import { z } from "zod";
import { newMessageId, post } from "../mail/inbound.ts";
import { linkedCompanions, type Account } from "../state/account.ts";
import type { Group } from "../state/groups.ts";
import type { Person } from "../state/people.ts";
import { digitsOf } from "../wire/jid.ts";
import type { World } from "../world.ts";
import { accountOf } from "./find.ts";
import { Refusal } from "./refusal.ts";

export const newBurst = z.strictObject({
  /** Left out: the only account. */
  accounts: z.array(z.string()).min(1).optional(),
  count: z.number().int().min(1).max(1_000_000),
  /** Messages a second over all accounts; 0: as fast as it goes. */
  perSecond: z.number().min(0).default(0),
  /** Different writers per account, taken from the address book (strangers where it ends). */
  contacts: z.number().int().min(1).default(1),
  /** Share of messages (0 to 1) written in the account's groups. */
  groupShare: z.number().min(0).max(1).default(0),
  /** Texts are this and a number that counts from 1. */
  text: z.string().default("burst message"),
});
export type BurstRequest = z.input<typeof newBurst>;

export interface BurstView {
  id: number;
  count: number;
  /** Queued so far. */
  queued: number;
  finished: boolean;
  startedAt: number;
  finishedAt?: number | undefined;
}

export interface BurstOperations {
  startBurst(request: BurstRequest): BurstView;
  burst(id: number): BurstView;
  /** Settles when all its messages are queued (not: received). */
  burstFinished(id: number): Promise<BurstView>;
  stopBursts(): void;
}

/** How long one turn may keep the process busy, and how far turns are apart. */
const TURN_MS = 8;
const PAUSE_MS = 4;

interface Lane {
  account: Account;
  writers: Person[];
  groups: Group[];
}

export function burstOperations(world: World): BurstOperations {
  const bursts = new Map<number, BurstView>();
  const timers = new Set<NodeJS.Timeout>();
  const waiting = new Map<number, ((view: BurstView) => void)[]>();
  let lastId = 0;
  const found = (id: number): BurstView => {
    const view = bursts.get(id);
    if (!view) throw new Refusal(404, `no burst ${id}`);
    return view;
  };

  const finish = (view: BurstView): void => {
    view.finished = true;
    view.finishedAt = Date.now();
    world.events.emit({ type: "burst.finished", detail: { burst: view.id, count: view.count } });
    for (const tell of waiting.get(view.id) ?? []) tell(view);
    waiting.delete(view.id);
  };

  return {
    startBurst(request) {
      const plan = newBurst.parse(request);
      const lanes = lanesOf(plan, world);
      const view: BurstView = {
        id: ++lastId,
        count: plan.count,
        queued: 0,
        finished: false,
        startedAt: Date.now(),
      };
      bursts.set(view.id, view);
      const turn = (): void => {
        const until = Date.now() + TURN_MS;
        const due =
          plan.perSecond === 0
            ? plan.count
            : Math.floor(((Date.now() - view.startedAt) * plan.perSecond) / 1000) + 1;
        while (view.queued < Math.min(due, plan.count) && Date.now() < until) {
          const lane = lanes[view.queued % lanes.length];
          if (lane && linkedCompanions(lane.account).length > 0)
            write(lane, view.queued, plan, lanes.length, world);
          view.queued += 1;
        }
        if (view.queued >= plan.count) {
          finish(view);
          return;
        }
        const timer = setTimeout(
          () => {
            timers.delete(timer);
            turn();
          },
          plan.perSecond === 0 ? 0 : PAUSE_MS,
        );
        timers.add(timer);
      };
      turn();
      return { ...view };
    },
    burst: (id) => ({ ...found(id) }),
    burstFinished: (id) =>
      new Promise((resolve) => {
        const view = found(id);
        if (view.finished) {
          resolve({ ...view });
          return;
        }
        waiting.set(id, [...(waiting.get(id) ?? []), (done) => resolve({ ...done })]);
      }),
    stopBursts() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}

function lanesOf({ accounts, contacts, groupShare }: z.output<typeof newBurst>, world: World): Lane[] {
  return (accounts ?? [undefined]).map((reference): Lane => {
    const account = accountOf(reference, world);
    if (linkedCompanions(account).length === 0)
      throw new Refusal(409, `nothing is linked to account ${account.number}`);
    const groups = world.groups.ofMember(account.number);
    if (groupShare > 0 && groups.length === 0)
      throw new Refusal(409, `account ${account.number} is in no group`);
    return { account, writers: writersOf(account, contacts, world), groups };
  });
}

function writersOf(account: Account, wanted: number, { people }: Pick<World, "people">): Person[] {
  const writers = [...account.addressBook.keys()].slice(0, wanted).map((pn) => people.get(pn));
  for (let n = writers.length; n < wanted; n++)
    writers.push(people.get(`9992${digitsOf(account.number).slice(-4)}${String(n + 1).padStart(5, "0")}`));
  return writers;
}

function write(
  lane: Lane,
  index: number,
  plan: z.output<typeof newBurst>,
  lanes: number,
  world: World,
): void {
  const { account, writers, groups } = lane;
  const turn = Math.floor(index / lanes);
  // Spread evenly, without chance: the same burst is the same again.
  const inGroup = Math.floor((turn + 1) * plan.groupShare) > Math.floor(turn * plan.groupShare);
  const group = inGroup ? groups[turn % groups.length] : undefined;
  const members = group ? [...group.members].filter((pn) => pn !== account.number) : [];
  const sender = group
    ? world.people.get(members[turn % members.length] ?? account.number)
    : writers[turn % writers.length];
  if (!sender) return;
  const text = `${plan.text} ${index + 1}`;
  post(
    {
      id: newMessageId(),
      account,
      sender,
      group,
      addressing: group?.addressing ?? account.options.addressing,
      message: { conversation: text },
      type: "text",
      kind: "text",
      text,
      timestamp: Math.floor(Date.now() / 1000),
    },
    world,
  );
}
