/** Passwords: what is kept of them, and that nobody learns by the clock who exists. */
import { scrypt } from "node:crypto";
import type * as crypto from "node:crypto";
import { beforeEach, expect, test, vi } from "vitest";
import { createPasswords } from "../../hub/http/passwords.ts";

vi.mock("node:crypto", async (original) => {
  const real = await original<typeof crypto>();
  return { ...real, scrypt: vi.fn(real.scrypt) };
});
const work = vi.mocked(scrypt);
beforeEach(() => {
  work.mockClear();
});

const cost = { cost: 1024, blockSize: 8, parallelization: 1 };

test("only the right password matches, however its letters are written as bytes", async () => {
  const passwords = createPasswords(cost);
  const kept = await passwords.hash("contraseña de Ana");
  expect(kept).toMatchObject(cost);
  expect(JSON.stringify(kept)).not.toContain("Ana");
  expect(await passwords.matches("contraseña de Ana", kept)).toBe(true);
  expect(await passwords.matches("contrasen\u0303a de Ana", kept)).toBe(true);
  expect(await passwords.matches("contrasena de Ana", kept)).toBe(false);
  expect((await passwords.hash("contraseña de Ana")).hash).not.toBe(kept.hash);
});

test("for nobody the same work is done", async () => {
  const passwords = createPasswords(cost);
  const kept = await passwords.hash("a good password");
  work.mockClear();
  expect(await passwords.matches("a good password", kept)).toBe(true);
  expect(await passwords.matches("a good password", null)).toBe(false);
  const [known, unknown] = work.mock.calls.map(([, salt, length, options]) => [
    Buffer.isBuffer(salt) && salt.length,
    length,
    options,
  ]);
  expect(known?.[0]).toBe(16);
  expect(unknown).toEqual(known);
});

test("what was made with other parameters still matches, by its own", async () => {
  const kept = await createPasswords({ ...cost, cost: 2048 }).hash("a good password");
  expect(await createPasswords(cost).matches("a good password", kept)).toBe(true);
});

test("a crowd is sent away before it takes memory and threads", async () => {
  const passwords = createPasswords(cost);
  const crowd = await Promise.allSettled(Array.from({ length: 40 }, () => passwords.matches("x", null)));
  expect(crowd.filter(({ status }) => status === "fulfilled")).toHaveLength(32);
  expect(crowd.find((each) => each.status === "rejected")).toMatchObject({ reason: { code: "OVERLOADED" } });
  expect(await passwords.matches("x", null)).toBe(false);
});

test("the usual parameters are those that are recommended today", async () => {
  expect(await createPasswords().hash("a good password")).toMatchObject({
    cost: 32_768,
    blockSize: 8,
    parallelization: 3,
  });
});
