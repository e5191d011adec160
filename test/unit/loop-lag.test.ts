/** How late the event loop is, and what waits while it is. */
import { expect, onTestFinished, test } from "vitest";
import type { Contact } from "../../hub/core/chat.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import { countShed, type Pressure } from "../../hub/core/pressure.ts";
import { createChatOrders } from "../../hub/inbox/chat-orders.ts";
import { createHistory } from "../../hub/inbox/history.ts";
import { startChatNews } from "../../hub/inbox/chat-news.ts";
import { createPictures } from "../../hub/inbox/pictures.ts";
import { measureLoopLag } from "../../hub/loop-lag.ts";
import { createReplays } from "../../hub/outbox/replays.ts";
import { aMediaItem } from "../support/builders.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

test("an event loop that stands still is noticed, and told once", async () => {
  const log = logBook();
  const lag = measureLoopLag(log);
  onTestFinished(() => lag.stop());
  expect(lag.isHigh()).toBe(false);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_300);
  await until("to be noticed", () => lag.isHigh());
  expect(lag.lagMs()).toBeGreaterThan(1_000);
  expect(log.lines("hub.overloaded")).toHaveLength(1);
});

/** As long as `isBusy` says so. */
const tooBusy = (isBusy = (): boolean => true): Pressure => ({
  lagMs: () => 3_000,
  isHigh: isBusy,
  ...countShed(isBusy),
});

test("a hub that is too busy shows no typing, and asks for no more history", async () => {
  const pressure = tooBusy();
  const asked: string[] = [];
  const nothing = () => {
    throw new Error("nobody is to be asked");
  };
  const link = (sessionId: string) => {
    asked.push(sessionId);
    return nothing();
  };
  const inbox = {
    chat: nothing,
    messages: nothing,
    knows: nothing,
    addresses: nothing,
    beginnings: nothing,
    coverage: nothing,
  };
  const chats = createChatOrders({
    inbox,
    link,
    ingest: Object.assign(nothing, { onRecorded: nothing }),
    pressure,
  });
  await chats.showTyping(
    { sessionId: "s1", chatId: "34600", numbering: { defaultCountry: null, nationalDigits: null } },
    "composing",
  );
  expect(asked).toEqual([]);
  const history = createHistory({ inbox, link, clock: fixedClock(), pressure });
  await expect(
    history.ask({
      sessionId: "s1",
      chatId: null,
      numbering: { defaultCountry: null, nationalDigits: null },
      days: null,
    }),
  ).rejects.toMatchObject({ code: "OVERLOADED" });
});

const aContact = (pictureToken: string | null): Contact => ({
  ...{ sessionId: "s1", jid: "34600111222@s.whatsapp.net", lid: null, pictureToken, about: null },
  ...{ name: null, pushName: "Ana", verifiedName: null },
  ...{
    isMyContact: false,
    isBlocked: false,
    isBusiness: false,
    lookedUpAt: null,
    askedAt: null,
    updatedAt: 0,
  },
});

test("pictures are not asked for by a hub that is too busy: the one that is kept is shown", async () => {
  const pressure = tooBusy();
  const clock = fixedClock();
  const nothing = () => {
    throw new Error("nobody is to be asked");
  };
  const kept = aMediaItem({ createdAt: new Date(0) });
  const pictures = createPictures({
    tokens: { addToken: nothing, byToken: (token) => Promise.resolve(token === "kept" ? kept : null) },
    media: {
      fromSource: nothing,
      remove: nothing,
      open: (mediaId) =>
        Promise.resolve({
          item: { ...kept, mediaId },
          path: "",
          size: 0,
          mimetype: "image/jpeg",
          filename: "",
        }),
    },
    ...{
      lookUps: { asking: nothing, asked: () => Promise.resolve(0), failed: nothing },
      link: nothing,
      ingest: Object.assign(nothing, { onRecorded: nothing }),
    },
    ...{ pressure, clock, orderMs: 1_000 },
  });
  await expect(pictures.of(aContact(null))).rejects.toMatchObject({ code: "OVERLOADED" });
  await expect(pictures.of(aContact("kept"))).resolves.toMatchObject({
    item: { mediaId: kept.mediaId },
  });
  expect(pressure.shed()).toMatchObject({ pictures: 2, typing: 0 });
});

test("replays and unread counts wait while the hub is too busy, and go on afterwards", async () => {
  let isBusy = true;
  const pressure = tooBusy(() => isBusy);
  const clock = fixedClock();
  const log = logBook();
  let slices = 0;
  let told = 0;
  const nothing = () => {
    throw new Error("not asked for");
  };
  const replays = createReplays({
    outbox: {
      ...{ replay: nothing, dismiss: nothing, openReplay: nothing, count: nothing },
      openReplays: () => Promise.resolve(["job_1"]),
      continueReplay: () => {
        slices++;
        return Promise.resolve({ replayed: 1, isDone: true });
      },
    },
    ...{ clock, nudge: createNudge(), pressure, log },
  });
  const news = startChatNews({
    inbox: {
      tellChats: () => {
        told++;
        return Promise.resolve(0);
      },
    },
    ingest: { onRecorded: () => () => undefined },
    ...{ clock, nudge: createNudge(), pressure, log },
  });
  onTestFinished(async () => {
    await replays.stop();
    await news.stop();
  });
  await replays.resume();
  await until("both to have waited", () => pressure.shed().replays > 0 && pressure.shed().unread_counts > 0);
  expect([slices, told]).toEqual([0, 0]);
  isBusy = false;
  await until("both to go on", () => slices === 1 && told === 1);
});
