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

test("files are refused long before messages are, on a small disk and on a big one", async () => {
  const { room, world, isFull } = aRoom();
  const takesFiles = async (): Promise<boolean> => {
    await isFull(); // looks
    return room.refuseFiles().then(
      () => true,
      () => false,
    );
  };
  world.freeBytes = 2 * GB;
  expect(await takesFiles()).toBe(true);
  world.freeBytes = 1.9 * GB;
  expect([await takesFiles(), await isFull()]).toEqual([false, false]);
  await expect(room.refuseFiles()).rejects.toMatchObject({ code: "OVERLOADED", retryAfterSeconds: 30 });
  Object.assign(world, { totalBytes: 5 * GB, freeBytes: 1.1 * GB });
  expect(await takesFiles()).toBe(true);
  world.freeBytes = 0.9 * GB;
  expect([await takesFiles(), await isFull()]).toEqual([false, false]);
  world.freeBytes = 0.4 * GB;
  expect([await takesFiles(), await isFull()]).toEqual([false, true]);
});
