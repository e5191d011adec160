/** Which pieces of a history are still owed. */
import { expect, test } from "vitest";
import { proto } from "../../hub/whatsapp/baileys.ts";
import { createHistoryNotices } from "../../hub/whatsapp/history-notices.ts";

const { INITIAL_BOOTSTRAP, RECENT, FULL, ON_DEMAND } = proto.HistorySync.HistorySyncType;

function aHistory() {
  let now = 0;
  let digests = 0;
  const notices = createHistoryNotices(() => new Date(now));
  return {
    notices,
    announce: (syncType: number, chunkOrder: number) => {
      const notification = proto.Message.HistorySyncNotification.fromObject({ syncType, chunkOrder });
      return notices.take({ digest: Buffer.from([++digests]), notification, restored: false }, "library");
    },
    pass: (ms: number) => (now += ms),
  };
}

test("a piece that Baileys has been fetching for two minutes is nobody's any more, the last one as well", () => {
  const { notices, announce, pass } = aHistory();
  const { notice } = announce(RECENT, 1);
  pass(119_999);
  expect(notices.isUnderWay(notice.digest)).toBe(true);
  pass(1);
  expect(notices.isUnderWay(notice.digest)).toBe(false);
});

test("the last one waits for what was announced before it, and for its own kind in whatever order", () => {
  const { notices, announce } = aHistory();
  const first = announce(INITIAL_BOOTSTRAP, 1);
  const last = announce(RECENT, 3);
  const late = announce(RECENT, 2);
  announce(FULL, 1);
  announce(ON_DEMAND, 1).state = "failed";
  expect(notices.missingFor(last)).toEqual([first, late]);
  notices.done([late]);
  first.state = "held";
  expect(notices.missingFor(last)).toEqual([]);
});

test("two pieces of one name are told apart by their turn", () => {
  const { notices, announce } = aHistory();
  const [one, two] = [announce(RECENT, 1), announce(RECENT, 1)];
  expect(notices.named({ syncType: RECENT, chunkOrder: 1 })).toBe(one);
  one.state = "fetched";
  expect(notices.named({ syncType: RECENT, chunkOrder: 1 })).toBe(two);
  expect(notices.named({ syncType: FULL, chunkOrder: 1 })).toBeUndefined();
});
