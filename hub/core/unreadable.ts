/** Messages that could not be decrypted when they came: why, how many, and when they come in a storm. */

/**
 * bad_mac        the peer's keys and ours have parted: none of the sessions we hold opens it.
 * no_session     no session with that device, or none of this message.
 * no_sender_key  the sender's key of that group never came.
 * other          anything else.
 */
export const UNREADABLE_KINDS = ["bad_mac", "no_session", "no_sender_key", "other"] as const;
export type UnreadableKind = (typeof UNREADABLE_KINDS)[number];

/** What is heard about one message. `came`: its content came after all, by a resend or from the phone. */
export type UnreadableNews = { type: "failed"; kind: UnreadableKind } | { type: "came" };

export interface UnreadableCounts {
  failed: Record<UnreadableKind, number>;
  came: number;
  storms: number;
}

export const noneUnreadable: UnreadableCounts = {
  failed: { bad_mac: 0, no_session: 0, no_sender_key: 0, other: 0 },
  came: 0,
  storms: 0,
};

export const addUnreadable = (one: UnreadableCounts, more: UnreadableCounts): UnreadableCounts => ({
  failed: {
    bad_mac: one.failed.bad_mac + more.failed.bad_mac,
    no_session: one.failed.no_session + more.failed.no_session,
    no_sender_key: one.failed.no_sender_key + more.failed.no_sender_key,
    other: one.failed.other + more.failed.other,
  },
  came: one.came + more.came,
  storms: one.storms + more.storms,
});

export const failedOf = ({ failed }: UnreadableCounts): number =>
  UNREADABLE_KINDS.reduce((sum, kind) => sum + failed[kind], 0);

/** One now and then is ordinary; so many within so long are a storm, which is over after so long with hardly any. */
export const STORM = { many: 20, withinMs: 5 * 60_000, few: 3, calmMs: 10 * 60_000 } as const;

/** One that failed; Unix milliseconds. */
export interface Failure {
  at: number;
  kind: UnreadableKind;
}

export const countsOf = (failures: Failure[]): UnreadableCounts => {
  const failed = { ...noneUnreadable.failed };
  for (const { kind } of failures) failed[kind]++;
  return { ...noneUnreadable, failed };
};

/** The newest, oldest first; never more than a storm needs. */
export const withFailure = (recent: Failure[], failure: Failure): Failure[] =>
  [...recent, failure].slice(-STORM.many);

export const isStorm = (recent: Failure[], now: number): boolean =>
  recent.length >= STORM.many && now - (recent[0]?.at ?? 0) <= STORM.withinMs;

export const isCalm = (recent: Failure[], now: number): boolean =>
  recent.filter(({ at }) => now - at < STORM.calmMs).length < STORM.few;
