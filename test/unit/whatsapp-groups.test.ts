/** Who is in a group: what is asked of WhatsApp, what is kept, and what is done when it does not answer. */
import { expect, test } from "vitest";
import type { GroupMetadata, SignalKeyStore } from "../../hub/whatsapp/baileys.ts";
import { createGroupCache, type GroupCache } from "../../hub/whatsapp/group-cache.ts";
import { createGroups, type Groups } from "../../hub/whatsapp/groups.ts";
import { until } from "../support/until.ts";

const GROUP = "120363000000000001@g.us";
const ANA = "111222@lid";
const HOUR = 3_600_000;

const failure = (data: unknown, statusCode = 500): Error =>
  Object.assign(new Error("refused"), { data, output: { statusCode } });

/** Disk and time outlive the connections on them. */
interface Place {
  asked: number;
  now: number;
  answer(): Promise<GroupMetadata>;
  disk: Map<string, unknown>;
  /** With an empty memory, as after a restart. */
  connect(cache?: GroupCache): Groups;
  members(groups?: Groups): Promise<string[]>;
}

function aPlace(): Place {
  const disk = new Map<string, unknown>();
  const place: Place = {
    asked: 0,
    now: Date.parse("2026-01-01T10:00:00Z"),
    answer: (): Promise<GroupMetadata> =>
      Promise.resolve({ id: GROUP, subject: "Vecinos", owner: undefined, participants: [{ id: ANA }] }),
    disk,
    connect: (cache = createGroupCache()) =>
      createGroups({
        cache,
        socket: {
          groupMetadata: () => {
            place.asked++;
            return place.answer();
          },
        },
        keys: {
          get: (type: string, [id]: string[]) => Promise.resolve({ [`${id}`]: disk.get(`${type} ${id}`) }),
        } as unknown as SignalKeyStore, // nothing else of it is used
        journal: {
          putKey: (type, id, value) =>
            value === null ? disk.delete(`${type} ${id}`) : disk.set(`${type} ${id}`, value),
        },
        now: () => new Date(place.now),
      }),
    members: async (groups = place.connect()) => (await groups.of(GROUP)).participants.map(({ id }) => id),
  };
  return place;
}

test("a restart asks for nothing that is known", async () => {
  const place = aPlace();
  expect(await place.members()).toEqual([ANA]);
  place.now += 23 * HOUR;
  expect(await place.members()).toEqual([ANA]);
  expect(place.asked).toBe(1);
});

test("what is a day old is asked for again, and does while WhatsApp does not answer", async () => {
  const place = aPlace();
  await place.members();
  place.now += 25 * HOUR;
  for (const cause of [failure(429), failure(null), failure(undefined, 408)]) {
    place.answer = () => Promise.reject(cause);
    expect(await place.members()).toEqual([ANA]);
  }
  expect(place.asked).toBe(4);
});

test("without anything known no answer means later, and a refusal means no", async () => {
  const place = aPlace();
  for (const cause of [failure(429), failure(null), failure(undefined, 408)]) {
    place.answer = () => Promise.reject(cause);
    await expect(place.members()).rejects.toMatchObject({ code: "OVERLOADED", cause });
  }
  for (const cause of [failure(403), failure(404), failure(null, 428), new TypeError("a bug")]) {
    place.answer = () => Promise.reject(cause);
    await expect(place.members()).rejects.toBe(cause);
  }
});

test("after too many questions none is asked for a while, of any group and over connections, longer each time", async () => {
  const place = aPlace();
  const cache = createGroupCache();
  const { answer } = place;
  const ask = (jid: string): Promise<GroupMetadata> => place.connect(cache).of(jid);
  place.answer = () => Promise.reject(failure(429));
  await expect(ask(GROUP)).rejects.toMatchObject({ code: "OVERLOADED", retryAfterSeconds: 30 });
  place.now += 10_000;
  await expect(ask("1@g.us")).rejects.toMatchObject({ code: "OVERLOADED", retryAfterSeconds: 20 });
  expect(place.asked).toBe(1);

  place.now += 20_000;
  await expect(ask(GROUP)).rejects.toMatchObject({ retryAfterSeconds: 60 });
  for (const seconds of [120, 240, 480, 600, 600]) {
    place.now += 600_000;
    await expect(ask(GROUP)).rejects.toMatchObject({ retryAfterSeconds: seconds });
  }
  expect(place.asked).toBe(7);

  place.answer = answer;
  place.now += 600_000;
  await ask(GROUP);
  place.answer = () => Promise.reject(failure(429));
  await expect(ask("1@g.us")).rejects.toMatchObject({ retryAfterSeconds: 30 });
  expect(await place.members(place.connect(cache))).toEqual([ANA]);
});

test("a rest is over when the clock is set back by more than it could last", async () => {
  const place = aPlace();
  const { answer } = place;
  const groups = place.connect(createGroupCache());
  place.answer = () => Promise.reject(failure(429));
  await expect(groups.of(GROUP)).rejects.toMatchObject({ code: "OVERLOADED" });
  place.now -= 6 * HOUR;
  place.answer = answer;
  expect(await place.members(groups)).toEqual([ANA]);
});

test("an answer to what was asked before the limit does not end the rest", async () => {
  const place = aPlace();
  const cache = createGroupCache();
  const whole = await place.answer();
  let answer: (group: GroupMetadata) => void = () => undefined;
  place.answer = () => new Promise((resolve) => (answer = resolve));
  const slow = place.members(place.connect(cache));
  await until("it is asked", () => place.asked === 1);
  place.answer = () => Promise.reject(failure(429));
  const other = place.connect(cache);
  await expect(other.of("120363000000000002@g.us")).rejects.toMatchObject({ code: "OVERLOADED" });
  answer(whole);
  expect(await slow).toEqual([ANA]);
  await expect(other.of("120363000000000003@g.us")).rejects.toMatchObject({ code: "OVERLOADED" });
  expect(place.asked).toBe(2);
});

test("a refusal counts, whatever was known", async () => {
  const place = aPlace();
  await place.members();
  place.now += 25 * HOUR;
  const cause = failure(403);
  place.answer = () => Promise.reject(cause);
  await expect(place.members()).rejects.toBe(cause);
});

test("the first news of a group makes it unknown; an answer that crossed it is not kept", async () => {
  const place = aPlace();
  const groups = place.connect();
  await place.members(groups);
  groups.forget(GROUP);
  expect(place.disk.size).toBe(0);
  const { answer } = place;
  place.answer = () => {
    groups.forget(GROUP);
    return answer();
  };
  await place.members(groups);
  expect([place.asked, place.disk.size]).toEqual([2, 0]);
});

test("what is kept says how the group is addressed, and how long its messages last", async () => {
  const place = aPlace();
  const { answer } = place;
  // The library's own words for both.
  place.answer = async () => ({
    ...(await answer()),
    ephemeralDuration: 86_400,
    addressingMode: "lid" as never,
  });
  await place.members();
  expect(await place.connect().of(GROUP)).toMatchObject({ ephemeralDuration: 86_400, addressingMode: "lid" });
  expect(place.asked).toBe(1);
});
