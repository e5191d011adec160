/** People who log in: their names are theirs alone, their tokens good once, and what ends a sign-in ends it at once. */
import { expect, test } from "vitest";
import { doneBy } from "../../../hub/core/audit.ts";
import type { RefreshToken } from "../../../hub/core/store.ts";
import { aUser, bytes, unique } from "../../support/builders.ts";
import { hours } from "../../support/fixed-clock.ts";
import type { World, Worlds } from "./world.ts";

const aToken = ({ clock }: World, lastsMs = hours(24)): RefreshToken => ({
  hash: `token ${unique()}`,
  expiresAt: new Date(clock.now().getTime() + lastsMs),
});

/** A user who came in just now. */
async function aSignIn(world: World, user = aUser()) {
  const id = `sgn_${unique()}`;
  const token = aToken(world);
  await world.store.users.save(user);
  await world.store.users.beginSignIn({ id, userId: user.id }, token, world.clock.now());
  return { id, token, user };
}

export function users(worlds: Worlds): void {
  test("a user comes back as it was saved, and is found by id and by identifier", async () => {
    const { store } = await worlds();
    const ana = aUser({ identifier: "ana", sessions: "*" });
    const eva = aUser({ identifier: "eva", disabledAt: new Date(1000) });
    for (const user of [ana, eva]) expect(await store.users.save(user)).toBe(true);
    expect(await store.users.get(ana.id)).toEqual(ana);
    expect(await store.users.byIdentifier("eva")).toEqual(eva);
    expect(await store.users.byIdentifier("nobody")).toBeNull();
    expect(await store.users.list()).toEqual([ana, eva]);
    const renamed = { ...ana, identifier: "anna" };
    await store.users.save(renamed);
    expect(await store.users.byIdentifier("ana")).toBeNull();
    expect(await store.users.byIdentifier("anna")).toEqual(renamed);
  });

  test("an identifier belongs to one user: a second one is not saved, nor its entry in the audit log", async () => {
    const { store, clock } = await worlds();
    const ana = aUser({ identifier: "ana" });
    await store.users.save(ana);
    const entry = doneBy("operator", "users.added", clock.now());
    expect(await store.users.save(aUser({ identifier: "ana" }), { entry })).toBe(false);
    expect(await store.users.list()).toEqual([ana]);
    expect((await store.audit.list({ limit: 10, page: 1 })).total).toBe(0);
    expect(await store.users.save(ana, { entry })).toBe(true);
    expect((await store.audit.list({ limit: 10, page: 1 })).total).toBe(1);
  });

  test("a token is good once and gives the next; the sign-in lasts as long as its newest token", async () => {
    const world = await worlds();
    const { store, clock } = world;
    const { id, token, user } = await aSignIn(world);
    expect(await store.users.userOfSignIn(id, clock.now())).toEqual(user);
    clock.advance(hours(23));
    const next = aToken(world);
    const renewed = { result: "renewed", user, signInId: id };
    expect(await store.users.renewSignIn(token.hash, next, clock.now())).toEqual(renewed);
    clock.advance(hours(23));
    expect(await store.users.userOfSignIn(id, clock.now())).toEqual(user);
    const last = aToken(world);
    expect(await store.users.renewSignIn(next.hash, last, clock.now())).toEqual(renewed);
    clock.advance(hours(24));
    expect(await store.users.userOfSignIn(id, clock.now())).toBeNull();
    expect(await store.users.renewSignIn(last.hash, aToken(world), clock.now())).toEqual({
      result: "unknown",
    });
    expect(await store.users.renewSignIn("another", aToken(world), clock.now())).toEqual({
      result: "unknown",
    });
  });

  test("a token that comes a second time ends its sign-in, and no other", async () => {
    const world = await worlds();
    const { store, clock } = world;
    const { id, token, user } = await aSignIn(world);
    const other = await aSignIn(world, user);
    const next = aToken(world);
    await store.users.renewSignIn(token.hash, next, clock.now());
    expect(await store.users.renewSignIn(token.hash, aToken(world), clock.now())).toEqual({
      result: "reused",
      userId: user.id,
    });
    expect(await store.users.userOfSignIn(id, clock.now())).toBeNull();
    expect(await store.users.renewSignIn(next.hash, aToken(world), clock.now())).toEqual({
      result: "unknown",
    });
    expect(await store.users.userOfSignIn(other.id, clock.now())).toEqual(user);
  });

  test("a sign-in ends by its id or by any of its tokens, and tells whose it was", async () => {
    const world = await worlds();
    const { store, clock } = world;
    const one = await aSignIn(world);
    const other = await aSignIn(world);
    expect(await store.users.endSignIn({ id: one.id })).toEqual(one.user);
    expect(await store.users.endSignIn({ id: one.id })).toBeNull();
    await store.users.renewSignIn(other.token.hash, aToken(world), clock.now());
    expect(await store.users.endSignIn({ tokenHash: other.token.hash })).toEqual(other.user);
    expect(await store.users.endSignIn({ tokenHash: "unknown" })).toBeNull();
    expect(await store.users.userOfSignIn(other.id, clock.now())).toBeNull();
  });

  test("saving a user ends all sign-ins, all but one, or none, and never another user's", async () => {
    const world = await worlds();
    const { store, clock } = world;
    const { user, ...first } = await aSignIn(world);
    const [second, stranger] = [await aSignIn(world, user), await aSignIn(world)];
    const open = () =>
      Promise.all(
        [first, second, stranger].map(
          async ({ id }) => (await store.users.userOfSignIn(id, clock.now())) !== null,
        ),
      );
    await store.users.save({ ...user, scopes: ["read"] });
    expect(await open()).toEqual([true, true, true]);
    expect(await store.users.userOfSignIn(first.id, clock.now())).toMatchObject({ scopes: ["read"] });
    await store.users.save(user, { ends: { except: second.id } });
    expect(await open()).toEqual([false, true, true]);
    await store.users.save(user, { ends: "all" });
    expect(await open()).toEqual([false, false, true]);
    expect(await store.users.remove(stranger.user.id)).toBe(true);
    expect(await store.users.remove(stranger.user.id)).toBe(false);
    expect(await open()).toEqual([false, false, false]);
    expect(await store.users.renewSignIn(stranger.token.hash, aToken(world), clock.now())).toEqual({
      result: "unknown",
    });
  });

  test("a disabled user is in nowhere, however the sign-in stands", async () => {
    const world = await worlds();
    const { store, clock } = world;
    const { id, token, user } = await aSignIn(world);
    await store.users.save({ ...user, disabledAt: clock.now() });
    expect(await store.users.userOfSignIn(id, clock.now())).toBeNull();
    expect(await store.users.renewSignIn(token.hash, aToken(world), clock.now())).toEqual({
      result: "unknown",
    });
    await store.users.save(user);
    expect(await store.users.userOfSignIn(id, clock.now())).toEqual(user);
  });

  test("what signs tokens is kept, and replaced", async () => {
    const { store } = await worlds();
    expect(await store.users.tokenSecret()).toBeNull();
    await store.users.saveTokenSecret(bytes("one"));
    await store.users.saveTokenSecret(bytes("two"));
    expect(Buffer.from((await store.users.tokenSecret()) ?? []).toString()).toBe("two");
  });

  test("a database that turns out to be a copy knows nobody who is in", async () => {
    const world = await worlds();
    const { store, clock } = world;
    const { id, token } = await aSignIn(world);
    await store.declareRestored(await store.watermark(), { areLoginsKnown: true });
    expect(await store.users.userOfSignIn(id, clock.now())).toBeNull();
    expect(await store.users.renewSignIn(token.hash, aToken(world), clock.now())).toEqual({
      result: "unknown",
    });
    expect(await store.users.list()).toHaveLength(1);
  });
}
