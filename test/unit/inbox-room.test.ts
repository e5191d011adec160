import { expect, test } from "vitest";
import { createRoom } from "../../hub/inbox/room.ts";
import { fixedClock, seconds } from "../support/fixed-clock.ts";

const GB = 1024 ** 3;

function aRoom() {
  const clock = fixedClock();
  const world = { pending: 0, freeBytes: 50 * GB, totalBytes: 100 * GB, looks: 0 };
  const room = createRoom({
    outbox: {
      stats: () => {
        world.looks++;
        return Promise.resolve({ pending: world.pending, retrying: 0 });
      },
    },
    dir: "/data",
    clock,
    freeSpace: () => Promise.resolve(world),
  });
  const isFull = async (): Promise<boolean> => {
    clock.advance(seconds(6));
    return room.refuseWhenFull().then(
      () => false,
      () => true,
    );
  };
  return { room, world, isFull };
}

test("a backlog near its end refuses sends, with a time to come again, until there is real room", async () => {
  const { room, world, isFull } = aRoom();
  world.pending = 899_000;
  expect(await isFull()).toBe(false);
  world.pending = 900_000;
  expect(await isFull()).toBe(true);
  await expect(room.refuseWhenFull()).rejects.toMatchObject({ code: "OVERLOADED", retryAfterSeconds: 30 });
  world.pending = 860_000;
  expect(await isFull()).toBe(true);
  world.pending = 840_000;
  expect(await isFull()).toBe(false);
});

test("a disk nearly full refuses sends; a big one with a small share left does not", async () => {
  const { world, isFull } = aRoom();
  world.freeBytes = 2 * GB;
  expect(await isFull()).toBe(false);
  world.freeBytes = GB / 2;
  expect(await isFull()).toBe(true);
});

test("a small disk with enough of it left is fine", async () => {
  const { world, isFull } = aRoom();
  world.totalBytes = 2 * GB;
  world.freeBytes = GB / 2;
  expect(await isFull()).toBe(false);
});

test("many sends at once measure once", async () => {
  const { room, world } = aRoom();
  await Promise.all(Array.from({ length: 100 }, () => room.refuseWhenFull()));
  expect(world.looks).toBe(1);
});
