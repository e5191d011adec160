/** Files: what they are, what became of them, and the short URLs that lead to them for a while. */
import { expect, test } from "vitest";
import { aMedia, aMediaItem, aMessageFact, T0 } from "../../support/builders.ts";
import { hours } from "../../support/fixed-clock.ts";
import type { Worlds } from "./world.ts";

export function mediaFiles(world: Worlds): void {
  test("come back as they were added, also without a session", async () => {
    const { store } = await world();
    const item = aMediaItem();
    const upload = aMediaItem({ sessionId: null, sha256: "abc" });
    await store.media.add(item);
    await store.media.add(upload);
    expect(await store.media.get(item.mediaId)).toEqual(item);
    expect(await store.media.get(upload.mediaId)).toEqual(upload);
    expect(await store.media.get("med_other")).toBeNull();
    expect(await store.media.messageOf(item.mediaId)).toBeNull();
  });

  test("change their state, and size and hash when they are given", async () => {
    const { store } = await world();
    const item = aMediaItem({ state: "remote", filesize: 1 });
    await store.media.add(item);
    await store.media.saveState(item.mediaId, { state: "stored", filesize: 9, sha256: "abc" });
    expect(await store.media.get(item.mediaId)).toMatchObject({
      state: "stored",
      filesize: 9,
      sha256: "abc",
    });
    await store.media.saveState(item.mediaId, { state: "gone" });
    expect(await store.media.get(item.mediaId)).toMatchObject({ state: "gone", filesize: 9, sha256: "abc" });
  });

  test("a token leads to its file until it expires", async () => {
    const { store, clock } = await world();
    const item = aMediaItem();
    await store.media.add(item);
    await store.media.addToken("token", item.mediaId, new Date(clock.now().getTime() + hours(1)));
    expect(await store.media.byToken("token", clock.now())).toEqual(item);
    expect(await store.media.byToken("other", clock.now())).toBeNull();
    clock.advance(hours(1));
    expect(await store.media.byToken("token", clock.now())).toBeNull();
    await store.media.addToken("token", item.mediaId, new Date(clock.now().getTime() + hours(1)));
    expect(await store.media.byToken("token", clock.now())).toEqual(item);
  });

  test("of a file's tokens those that ended go, but for the one that is its message's", async () => {
    const { store, clock } = await world();
    const [item, other] = [aMediaItem(), aMediaItem()];
    const inHours = (n: number): Date => new Date(clock.now().getTime() + hours(n));
    for (const [token, of, hoursLeft] of [
      ["own", item, -1],
      ["ended", item, -1],
      ["good", item, 1],
      ["another's", other, -1],
    ] as const) {
      await store.media.add(of);
      await store.media.addToken(token, of.mediaId, inHours(hoursLeft));
    }
    expect(await store.media.forgetTokens(item.mediaId, { but: "own", now: clock.now() })).toBe(1);
    expect(await store.media.forgetTokens(item.mediaId, { but: "own", now: clock.now() })).toBe(0);
    expect(await store.media.byToken("good", clock.now())).toEqual(item);
    // Those that are kept can be renewed, wherever they were written down.
    await store.media.renewTokens(["own", "ended", "another's"], clock.now());
    expect(await store.media.byToken("own", clock.now())).toEqual(item);
    expect(await store.media.byToken("ended", clock.now())).toBeNull();
    expect(await store.media.byToken("another's", clock.now())).toEqual(other);
  });

  test("short URLs that are about to end, or ended, are renewed together; others stay as they are", async () => {
    const { store, clock } = await world();
    const item = aMediaItem();
    await store.media.add(item);
    const inHours = (n: number): Date => new Date(clock.now().getTime() + hours(n));
    await store.media.addToken("ended", item.mediaId, inHours(-1));
    await store.media.addToken("ending", item.mediaId, inHours(0.9));
    await store.media.addToken("good", item.mediaId, inHours(2));
    await store.media.renewTokens(["ended", "ending", "good", "unknown"], clock.now());
    const living = async (): Promise<string[]> => {
      const all = ["ended", "ending", "good", "unknown"];
      const found = await Promise.all(all.map((token) => store.media.byToken(token, clock.now())));
      return all.filter((_token, n) => found[n] !== null);
    };
    expect(await living()).toEqual(["ended", "ending", "good"]);
    clock.advance(hours(3));
    expect(await living()).toEqual(["ended", "ending"]);
    clock.advance(hours(7 * 24 - 4));
    expect(await living()).toEqual(["ended", "ending"]);
    clock.advance(hours(2));
    expect(await living()).toEqual([]);
    await store.media.renewTokens([], clock.now());
  });

  test("a removed file is gone with its tokens", async () => {
    const { store, clock } = await world();
    const item = aMediaItem();
    await store.media.add(item);
    await store.media.addToken("token", item.mediaId, new Date(clock.now().getTime() + hours(1)));
    await store.media.remove(item.mediaId);
    expect(await store.media.get(item.mediaId)).toBeNull();
    expect(await store.media.byToken("token", clock.now())).toBeNull();
    await store.media.remove(item.mediaId);
  });

  test("uploads that nobody sent go after their time, while no address leads to them; files of messages stay", async () => {
    const { store, clock, record } = await world();
    const sent = aMedia();
    await record(aMessageFact({ type: "image", media: sent }));
    const [upload, picture, young] = [
      aMediaItem({ sessionId: null }),
      aMediaItem(),
      aMediaItem({ createdAt: new Date(T0.getTime() + hours(24)) }),
    ];
    for (const item of [upload, picture, young]) await store.media.add(item);
    const inDays = (days: number): Date => new Date(clock.now().getTime() + hours(24 * days));
    await store.media.addToken("upload", upload.mediaId, inDays(7));
    await store.media.addToken("picture", picture.mediaId, inDays(3650));
    const forget = () => store.media.forgetUploads({ before: inDays(-7), now: clock.now(), limit: 10 });
    clock.advance(hours(24 * 7));
    expect(await forget()).toBe(0);
    clock.advance(1);
    expect(await forget()).toBe(1);
    expect(await forget()).toBe(0);
    expect(await store.media.get(upload.mediaId)).toBeNull();
    expect(await store.media.left("", 9)).toEqual([upload.mediaId]);
    for (const { mediaId } of [sent, picture, young]) expect(await store.media.get(mediaId)).not.toBeNull();
  });
}
