/** Whether the process keeps up with its work: what can wait does so while it does not. */

/**
 * What is put off under load, so that messages are taken, stored, sent and delivered first.
 *
 * typing         a courtesy; dropped.
 * history        older messages asked of the phone; refused with the time to ask again (OVERLOADED).
 * pictures       profile pictures asked of WhatsApp; the one that is kept is shown, or the call is refused as above.
 * search_index   the words of new messages; found a little later.
 * retention      what has been kept long enough; goes five minutes later.
 * replays        events that a person ordered to be sent again; go on afterwards.
 * unread_counts  `chat.updated` after a message; told afterwards, once.
 */
export const CAN_WAIT = [
  "typing",
  "history",
  "pictures",
  "search_index",
  "retention",
  "replays",
  "unread_counts",
] as const;
export type CanWait = (typeof CAN_WAIT)[number];

export interface Pressure {
  /** How late the event loop was lately, at worst. */
  lagMs(): number;
  /** Beyond this healthy connections are in danger. Stays for a while, so that it does not flicker. */
  isHigh(): boolean;
  /** True while this has to wait, which is counted. */
  sheds(what: CanWait): boolean;
  /** How often each had to wait since the process began. */
  shed(): Record<CanWait, number>;
}

const none = (): Record<CanWait, number> => ({
  typing: 0,
  history: 0,
  pictures: 0,
  search_index: 0,
  retention: 0,
  replays: 0,
  unread_counts: 0,
});

export function countShed(isHigh: () => boolean): Pick<Pressure, "sheds" | "shed"> {
  const counts = none();
  return {
    sheds: (what) => {
      if (!isHigh()) return false;
      counts[what]++;
      return true;
    },
    shed: () => ({ ...counts }),
  };
}

export const noPressure: Pressure = {
  lagMs: () => 0,
  isHigh: () => false,
  sheds: () => false,
  shed: none,
};
