/** Files: what they are, what became of them, and the short URLs that lead to them for a while. */
import { expect, test } from "vitest";
import { aMediaItem } from "../../support/builders.ts";
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
}
