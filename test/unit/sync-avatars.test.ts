/** Pictures of contacts: who is asked for, when, and what becomes of those that could not be. */
import { expect, test } from "vitest";
import { HubUnavailable } from "../../bridge/errors.ts";
import { createAvatars } from "../../bridge/sync/avatars.ts";
import { fixedClock, hours } from "../support/fixed-clock.ts";
import { aHubContact, personId } from "../support/hub-records.ts";
import { logBook } from "../support/log-book.ts";

test("the hub is asked to look up who has none, once a day, and no more when it fails", async () => {
  const clock = fixedClock();
  const asked: string[] = [];
  let isDown = false;
  const hub = {
    lookUp: (_sessionId: string, contactId: string) => {
      asked.push(contactId);
      return isDown ? Promise.reject(new HubUnavailable("not now", { status: 503 })) : Promise.resolve();
    },
  };
  const avatars = createAvatars({ hub, perSync: 100, clock, log: logBook() });
  const contacts = Array.from({ length: 20 }, (_, n) =>
    aHubContact({ id: personId(n), imgUrl: n < 5 ? "u" : null }),
  );
  avatars.notice("s1", contacts);
  await avatars.bring("s1");
  expect(asked).toHaveLength(15);
  avatars.notice("s1", contacts);
  await avatars.bring("s1");
  expect(asked).toHaveLength(15);
  clock.advance(hours(25));
  isDown = true;
  avatars.notice("s1", contacts);
  await avatars.bring("s1");
  expect(asked).toHaveLength(15 + 4);
});

/** Pictures of `count` contacts that have none, at a hub that answers as `answer` says. */
function waitingForPictures(count: number, answer: (contactId: string) => Promise<void>) {
  const asked: string[] = [];
  const lookUp = (_sessionId: string, contactId: string) => {
    asked.push(contactId);
    return answer(contactId);
  };
  const avatars = createAvatars({ hub: { lookUp }, perSync: 100, clock: fixedClock(), log: logBook() });
  const ids = Array.from({ length: count }, (_, n) => personId(n));
  const notice = () =>
    avatars.notice(
      "s1",
      ids.map((id) => aHubContact({ id, imgUrl: null })),
    );
  notice();
  return { avatars, asked, ids, notice };
}

test("who could not be asked for is asked for after the next sync, and nobody twice", async () => {
  let left = 3;
  const { avatars, asked, ids, notice } = waitingForPictures(20, () => {
    left -= 1;
    return left >= 0 ? Promise.resolve() : Promise.reject(new HubUnavailable("not now", { status: 503 }));
  });
  await avatars.bring("s1");
  expect(asked).toHaveLength(3 + 4);
  left = Infinity;
  asked.splice(3);
  await avatars.bring("s1");
  notice();
  await avatars.bring("s1");
  expect(asked).toHaveLength(20);
  expect(asked.toSorted()).toEqual(ids.toSorted());
});

test("contacts that the hub will never look up do not keep it from the others", async () => {
  const { avatars, asked, ids } = waitingForPictures(10, (id) =>
    ids.indexOf(id) < 5 ? Promise.reject(new HubUnavailable("no", { status: 400 })) : Promise.resolve(),
  );
  for (let n = 0; n < 2; n += 1) await avatars.bring("s1");
  expect(new Set(asked)).toEqual(new Set(ids));
});

test("two syncs that end together ask once", async () => {
  const { avatars, asked, ids } = waitingForPictures(
    10,
    () => new Promise((resolve) => setImmediate(resolve)),
  );
  await Promise.all([avatars.bring("s1"), avatars.bring("s1")]);
  expect(asked).toEqual(ids);
});
