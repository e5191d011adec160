/** Ways to kill a hub at a moment that matters: at a named place of its own, or when somebody else sees something. */
import type { SeededRandom } from "../whatsapp/holdings/random.ts";
import type { Stand } from "./stand.ts";

export interface Blow {
  name: string;
  /** What the hub is started with, when it is to end itself. */
  crashAt?: string;
  /** Strikes while the hub works; the result takes it back. */
  arm?(stand: Stand): () => void;
}

export type MakeBlow = (random: SeededRandom) => Blow;

/** So many messages on: the first one, or in the middle of a burst. */
const REACH = 8;
/** Points are passed once for all that arrives together, so that fewer of them make a burst. */
const REACH_OF_POINTS = 3;
const LONGEST_WAIT_MS = 400;

const strike = (stand: Stand): void => void process.kill(stand.hub().pid, "SIGKILL");

/** The hub ends itself at the n-th passing of one of its own points. */
export const atPoint =
  (point: string): MakeBlow =>
  (random) => {
    const crashAt = `${point}:${1 + random.int(REACH_OF_POINTS)}`;
    return { name: crashAt, crashAt };
  };

/** In the tick in which WhatsApp is told that a message is delivered: whoever tells it too early loses it now. */
export const atReceipt: MakeBlow = (random) => {
  let left = 1 + random.int(REACH);
  return {
    name: `receipt ${left}`,
    arm: (stand) =>
      stand.emulator.on({ types: ["message.received"] }, () => {
        if (--left === 0) strike(stand);
      }),
  };
};

export const atRandom: MakeBlow = (random) => {
  const ms = random.int(LONGEST_WAIT_MS);
  return {
    name: `after ${ms} ms`,
    arm: (stand) => {
      const timer = setTimeout(() => strike(stand), ms);
      return () => clearTimeout(timer);
    },
  };
};

/** Webhooks that the CRM has stored and whose answer the hub cannot have noted. */
export interface Unnoted {
  ids: string[];
}

/** The CRM has the event; its answer finds nobody any more. */
export const beforeAnswer = (unnoted: Unnoted): MakeBlow => atPost(unnoted, (kill) => kill());

/** The answer is written to the socket; the hub has no time to write it down. */
export const afterAnswer = (unnoted: Unnoted): MakeBlow => atPost(unnoted, (kill) => void setImmediate(kill));

const atPost =
  (unnoted: Unnoted, when: (kill: () => void) => void): MakeBlow =>
  (random) => {
    let left = 1 + random.int(REACH);
    return {
      name: `post ${left}`,
      arm: (stand) => {
        stand.crm.answers(({ event, webhookId }) => {
          if (event === "message.received" && --left === 0) {
            unnoted.ids.push(webhookId);
            when(() => strike(stand));
          }
          return { kind: "answer" };
        });
        return () => stand.crm.answers();
      },
    };
  };
