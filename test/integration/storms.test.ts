/** Storms of messages that cannot be decrypted: seen in the timeline, in the figures, and by those who are called. */
import { describe, expect, onTestFinished, test } from "vitest";
import { createMetrics } from "../../hub/http/metrics.ts";
import { noFigures, type SessionFigures } from "../../hub/core/session-figures.ts";
import { noPressure } from "../../hub/core/pressure.ts";
import { addUnreadable, type UnreadableKind } from "../../hub/core/unreadable.ts";
import { createStorms } from "../../hub/sessions/storms.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { createUndecrypted } from "../../hub/whatsapp/undecrypted.ts";
import { aNewSession } from "../support/builders.ts";
import { fixedClock, minutes, seconds } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";

async function aScene() {
  const clock = fixedClock();
  const log = logBook();
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "http://hub.example", clock });
  await store.sessions.create(aNewSession({ sessionId: "customer-name" }));
  const called: string[] = [];
  let figures: SessionFigures = noFigures;
  let saves = 0;
  const storms = createStorms({
    store: store.sessions,
    count: (_sessionId, counts) => {
      saves++;
      figures = { ...figures, unreadable: addUnreadable(figures.unreadable, counts) };
    },
    onBegan: (sessionId) => called.push(sessionId),
    ...{ clock, log },
  });
  onTestFinished(async () => {
    await storms.stop();
    await store.close();
  });
  const timeline = async (): Promise<string[]> => {
    await storms.look();
    const { items } = await store.sessions.timeline("customer-name", { limit: 50, page: 1 });
    return items
      .filter(({ type }) => type.startsWith("unreadable_storm"))
      .map(({ type, text }) => `${type}: ${text}`);
  };
  const fails = (times: number, kind: UnreadableKind, everyMs = 0): void => {
    for (let n = 0; n < times; n++) {
      storms.heard("customer-name", { type: "failed", kind });
      clock.advance(everyMs);
    }
  };
  const metrics = createMetrics({
    sessions: () => store.sessions.list(),
    store,
    each: { figures: () => Promise.resolve(figures), isStormy: storms.isStormy },
    ...{ pressure: noPressure, clock },
  });
  return {
    ...{ clock, log, store, storms, called, timeline, fails, metrics },
    figures: () => figures,
    saves: () => saves,
  };
}

describe("messages that cannot be decrypted", () => {
  test("now and then are counted, and nobody is called", async () => {
    const { fails, timeline, called, figures, storms } = await aScene();
    fails(60, "no_session", minutes(1));
    expect(await timeline()).toEqual([]);
    expect(called).toEqual([]);
    expect(figures().unreadable).toMatchObject({ failed: { no_session: 60 }, storms: 0 });
    expect(storms.isStormy("customer-name")).toBe(false);
  });

  test("in a storm are told once at its begin and once at its end, with counts; and so they are again at the next one", async () => {
    const { fails, timeline, called, clock, storms, log, figures, saves, metrics } = await aScene();
    fails(15, "bad_mac", seconds(1));
    fails(5, "no_sender_key", seconds(1));
    expect(called).toEqual(["customer-name"]);
    fails(10_000, "bad_mac", 20);
    expect(called).toHaveLength(1);
    expect(log.lines()).toHaveLength(1);
    expect(saves()).toBe(0);
    await storms.look();
    expect(saves()).toBe(1);
    for (let n = 0; n < 7; n++) storms.heard("customer-name", { type: "came" });
    const { text } = await metrics.scrape();
    expect(text).toContain('inbox_hub_session_undecrypted_storm{session="1"} 1');

    clock.advance(minutes(9));
    await storms.look();
    expect(storms.isStormy("customer-name")).toBe(true);
    fails(1, "other");
    clock.advance(minutes(2));
    expect(await timeline()).toEqual([
      expect.stringMatching(
        /^unreadable_storm_over: 10021 messages could not be decrypted \(bad_mac 10015, no_sender_key 5, other 1\) in \d+ s; 7 of them came after all/,
      ),
      expect.stringMatching(
        /^unreadable_storm: 20 messages could not be decrypted \(bad_mac 15, no_sender_key 5\) in 19 s; each is asked for again/,
      ),
    ]);
    expect(storms.isStormy("customer-name")).toBe(false);
    expect(figures().unreadable).toEqual({
      failed: { bad_mac: 10_015, no_session: 0, no_sender_key: 5, other: 1 },
      ...{ came: 7, storms: 1 },
    });
    const scraped = (await metrics.scrape()).text;
    expect(scraped).toContain('inbox_hub_session_undecrypted_total{session="1",kind="bad_mac"} 10015');
    expect(scraped).toContain('inbox_hub_session_undecrypted_came_total{session="1"} 7');
    expect(scraped).toContain('inbox_hub_session_undecrypted_storm{session="1"} 0');
    expect(scraped).not.toContain("customer-name");

    fails(20, "bad_mac");
    expect(called).toHaveLength(2);
    expect(await timeline()).toHaveLength(3);
  });
});

test("a message counts once, whatever its resends do, and its cause is told from the library's words", () => {
  const heard: string[] = [];
  const undecrypted = createUndecrypted((news) => heard.push(news.type === "came" ? "came" : news.kind));
  const stanza = (id: string, n: number) => ({ id, chat: "1@lid", participant: "", digest: Buffer.of(n) });
  undecrypted.add(stanza("A", 1), new Error("Bad MAC"));
  undecrypted.add(stanza("A", 2), new Error("Bad MAC"));
  undecrypted.add(stanza("B", 3), new Error("No session record"));
  undecrypted.add(stanza("C", 4), new Error("No SenderKeyRecord found for decryption"));
  undecrypted.add(stanza("D", 5), new Error("something new"));
  undecrypted.add(stanza("E", 6));
  expect(heard).toEqual(["bad_mac", "no_session", "no_sender_key", "other"]);
  undecrypted.solvedById("A");
  undecrypted.solvedById("A");
  undecrypted.solvedById("E");
  expect(heard.slice(4)).toEqual(["came"]);
});
