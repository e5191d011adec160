/** Whole logins: known by their fingerprint, taken out of use and brought back in one, told from older copies. */
import { expect, test } from "vitest";
import { aMessageFact, aNewSession } from "../../support/builders.ts";
import { minutes } from "../../support/fixed-clock.ts";
import type { Worlds } from "./world.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const rowsOf = (name: string) => ({
  creds: bytes(`${name} creds`),
  keys: [{ type: "session", id: "1", value: bytes(`${name} key`) }],
});

export function logins(worlds: Worlds): void {
  const withLogin = async () => {
    const world = await worlds();
    await world.store.auth.commit("s1", { ...rowsOf("old"), fingerprint: "f-old", intake: [] });
    return world;
  };

  test("are counted with each write, and known from the first one with credentials", async () => {
    const { store } = await worlds();
    const { auth } = store;
    expect(await auth.login("s1")).toEqual({
      fingerprint: null,
      epoch: 1,
      generation: 0,
      keyVersion: 0,
      standing: "current",
      isThere: false,
    });
    await auth.commit("s1", { ...rowsOf("old"), fingerprint: "f-old", intake: [] });
    await auth.commit("s1", { keys: [{ type: "session", id: "1", value: null }], intake: [] });
    await auth.commit("s1", { keys: [], intake: [] });
    expect(await auth.login("s1")).toMatchObject({ fingerprint: "f-old", keyVersion: 2, isThere: true });
  });

  test("go into quarantine whole, and come back whole", async () => {
    const { store, clock } = await withLogin();
    const { auth } = store;
    const undoUntil = new Date(clock.now().getTime() + minutes(1));
    const id = (await auth.quarantine("s1", "test", clock.now(), undoUntil)) ?? "";
    expect(await auth.loginRows("s1")).toBeNull();
    expect(await auth.login("s1")).toMatchObject({ fingerprint: null, generation: 1, isThere: false });
    expect(await auth.quarantined("s1")).toEqual([{ id, reason: "test", at: clock.now(), undoUntil }]);
    await auth.release("s1", id, { reason: "undone", now: clock.now(), undoUntil });
    expect(await auth.loginRows("s1")).toMatchObject({ creds: bytes("old creds") });
    expect(await auth.login("s1")).toMatchObject({ fingerprint: "f-old", generation: 2 });
    expect(await auth.quarantined("s1")).toEqual([]);
  });

  test("that come back take the place of the one there is", async () => {
    const { store, clock } = await withLogin();
    const { auth } = store;
    const undoUntil = clock.now();
    const id = (await auth.quarantine("s1", "test", clock.now())) ?? "";
    await auth.commit("s1", { ...rowsOf("new"), fingerprint: "f-new", intake: [] });
    await auth.release("s1", id, { reason: "replaced", now: clock.now(), undoUntil });
    expect((await auth.login("s1")).fingerprint).toBe("f-old");
    expect((await auth.quarantined("s1")).map(({ reason }) => reason)).toEqual(["replaced"]);
  });

  test("that came back are refused while another session has them, and nothing moves", async () => {
    const { store, clock } = await withLogin();
    const { auth } = store;
    const id = (await auth.quarantine("s1", "test", clock.now())) ?? "";
    const session = aNewSession({ sessionId: "s2", phoneNumber: "34600000002" });
    await auth.install(session, { ...rowsOf("old"), fingerprint: "f-old" });
    const undoing = auth.release("s1", id, { reason: "x", now: clock.now(), undoUntil: clock.now() });
    await expect(undoing).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    expect((await auth.quarantined("s1")).map((each) => each.id)).toEqual([id]);
    await expect(
      auth.release("s2", id, { reason: "x", now: clock.now(), undoUntil: clock.now() }),
    ).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("are installed with their session, once, and no second session gets the number", async () => {
    const { store } = await withLogin();
    const install = (sessionId: string, phoneNumber: string, fingerprint: string) =>
      store.auth.install(aNewSession({ sessionId, phoneNumber, state: "stopped" }), {
        ...rowsOf("other"),
        fingerprint,
      });
    await install("s2", "34600000002", "f-2");
    expect(await store.sessions.get("s2")).toMatchObject({ phoneNumber: "34600000002", state: "stopped" });
    expect(await store.auth.login("s2")).toMatchObject({ fingerprint: "f-2", isThere: true });
    for (const refused of [
      install("s3", "34600000003", "f-2"),
      install("s3", "34600000002", "f-3"),
      install("s2", "34600000002", "f-3"),
    ])
      await expect(refused).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    expect(await store.sessions.get("s3")).toBeNull();
  });

  test("are put in the place of the one there is, which goes into quarantine; an older copy is stale", async () => {
    const { store, clock } = await withLogin();
    const { auth } = store;
    const session = aNewSession({ phoneNumber: "34600000009", state: "rolled_back" });
    const undoUntil = new Date(clock.now().getTime() + minutes(1));
    const instead = { reason: "replaced", now: clock.now(), undoUntil };
    const rows = { ...rowsOf("copy"), fingerprint: "f-copy" };
    await auth.install(session, rows, { instead, isStale: true });
    expect(await auth.loginRows("s1")).toMatchObject({ creds: bytes("copy creds") });
    expect(await auth.login("s1")).toMatchObject({ fingerprint: "f-copy", standing: "stale" });
    expect((await auth.quarantined("s1")).map(({ reason }) => reason)).toEqual(["replaced"]);
    expect(await store.sessions.get("s1")).toMatchObject({
      phoneNumber: "34600000009",
      state: "rolled_back",
    });
  });

  test("that go away and come back grow in both counts alike; what is used, or given away, in one alone", async () => {
    const { store, clock } = await withLogin();
    const { auth } = store;
    const used = async (): Promise<number> => {
      const { keyVersion, generation } = await auth.login("s1");
      return keyVersion - generation;
    };
    const before = await used();
    const undoUntil = new Date(clock.now().getTime() + minutes(1));
    const instead = { reason: "x", now: clock.now(), undoUntil };
    const id = (await auth.quarantine("s1", "test", clock.now(), undoUntil)) ?? "";
    await auth.release("s1", id, instead);
    await auth.install(aNewSession(), { ...rowsOf("old"), fingerprint: "f-old" }, { instead });
    expect(await used()).toBe(before);
    await auth.commit("s1", { keys: [{ type: "session", id: "1", value: bytes("2") }], intake: [] });
    expect(await used()).toBe(before + 1);
    await auth.markStale("s1");
    expect(await used()).toBe(before + 2);
  });

  test("in quarantine are destroyed when they are old enough", async () => {
    const { store, clock } = await withLogin();
    const id = await store.auth.quarantine("s1", "test", clock.now());
    expect(await store.auth.forgetQuarantined(clock.now())).toEqual([]);
    clock.advance(1);
    expect(await store.auth.forgetQuarantined(clock.now())).toEqual([id]);
    expect(await store.auth.quarantined("s1")).toEqual([]);
  });

  test("of a copy are stale when they were used since, superseded when another took their place", async () => {
    const { store, record } = await withLogin();
    const since = await store.watermark();
    const used = {
      ...since,
      logins: since.logins.map((each) => ({ ...each, keyVersion: each.keyVersion + 1 })),
    };
    await store.declareRestored({ ...used, seq: 70 }, { areLoginsKnown: true });
    expect((await store.auth.login("s1")).standing).toBe("stale");
    expect(await store.identity()).toMatchObject({ epoch: since.epoch + 1 });
    expect((await record(aMessageFact())).lastSeq).toBe(1_000_071);
    await store.auth.commit("s1", { keys: [], intake: [], renewed: true });
    expect((await store.auth.login("s1")).standing).toBe("current");
    const replaced = { ...since, logins: since.logins.map((each) => ({ ...each, fingerprint: null })) };
    await store.declareRestored(replaced, { areLoginsKnown: true });
    expect((await store.auth.login("s1")).standing).toBe("superseded");
  });

  test("of a copy are stale when nobody knows, and as they were when nothing happened", async () => {
    const known = await withLogin();
    await known.store.declareRestored(await known.store.watermark(), { areLoginsKnown: true });
    expect((await known.store.auth.login("s1")).standing).toBe("current");
    await known.store.declareRestored(await known.store.watermark(), { areLoginsKnown: false });
    expect((await known.store.auth.login("s1")).standing).toBe("stale");
  });
}
