/** Steady traffic: people write, in chats and groups; the CRM answers over REST. Each text is said once, so that it can be counted. */
import type { SeededRandom } from "../../test/whatsapp/holdings/random.ts";
import { HubCallError } from "../../test/support/hub-client.ts";
import type { SoakAccount, SoakStand } from "./stand.ts";

const TURN_MS = 200;
/** One of so many is an answer of the CRM; one of so many of the rest is written in a group. */
const ANSWER_SHARE = 10;
const GROUP_SHARE = 4;

export interface Traffic {
  /** Messages of people so far. */
  said(): number;
  /** The answers that the hub took. */
  answered(): { account: string; text: string; messageId: string }[];
  /** Answers that the hub refused, with its reason: told to the caller, so not lost. */
  refused(): number;
  /** Stops; resolves when what was under way has been answered. Fails with what went wrong. */
  stop(): Promise<void>;
}

export function startTraffic(
  { whatsapp, hub, accounts }: SoakStand,
  { random, perSecond }: { random: SeededRandom; perSecond: number },
): Traffic {
  const answered: { account: string; text: string; messageId: string }[] = [];
  const underWay = new Set<Promise<void>>();
  const problems: unknown[] = [];
  let said = 0;
  let refused = 0;
  let due = 0;

  const receive = async (account: SoakAccount, text: string): Promise<void> => {
    const group = random.int(GROUP_SHARE) === 0 ? random.pick(account.groups) : undefined;
    said += 1;
    await whatsapp.receive({
      account: account.number,
      kind: "text",
      text,
      ...(group === undefined
        ? { from: random.pick(account.people) }
        : { group: group.id, from: random.pick(group.members) }),
    });
  };
  const answer = async ({ sessionId, number, people }: SoakAccount, message: string): Promise<void> => {
    try {
      const { messageId } = await hub.post<{ messageId: string }>(`/api/messages/${sessionId}/send`, {
        ...{ to: random.pick(people), type: "text", message },
      });
      answered.push({ account: number, text: message, messageId });
    } catch (cause) {
      if (!(cause instanceof HubCallError)) throw cause;
      refused += 1;
    }
  };
  const start = (work: Promise<void>): void => {
    const watched = work
      .catch((cause: unknown) => void problems.push(cause))
      .finally(() => underWay.delete(watched));
    underWay.add(watched);
  };

  const timer = setInterval(() => {
    for (due += (perSecond * TURN_MS) / 1000; due >= 1; due -= 1) {
      const account = random.pick(accounts);
      const text = `soak ${random.hex(12)}`;
      start(random.int(ANSWER_SHARE) === 0 ? answer(account, text) : receive(account, text));
    }
  }, TURN_MS);

  return {
    said: () => said,
    answered: () => answered,
    refused: () => refused,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      if (problems.length > 0) throw new AggregateError(problems, "the traffic met with errors");
    },
  };
}
