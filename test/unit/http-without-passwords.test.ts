/** What a request with an Idempotency-Key is compared by. */
import { expect, test } from "vitest";
import { withoutPasswords } from "../../hub/http/without-passwords.ts";

test("passwords are left out wherever they stand, all else stays as it was", () => {
  const body = {
    username: "ana",
    newPassword: "x",
    headers: { "X-Password": "y", "X-Other": "z" },
    none: null,
  };
  expect(withoutPasswords([{ page: "1" }, { ...body, list: [{ password: "x", a: 1 }, 2] }])).toEqual([
    { page: "1" },
    { username: "ana", headers: { "X-Other": "z" }, none: null, list: [{ a: 1 }, 2] },
  ]);
});

test("the bytes of a file are not looked at one by one by name", () => {
  const data = Array.from({ length: 2_000_000 }, (_, n) => n % 256);
  const since = performance.now();
  const kept = withoutPasswords({ message: { image: { buffer: { type: "Buffer", data } } } });
  expect(performance.now() - since).toBeLessThan(200);
  expect(kept).toEqual({
    message: { image: { buffer: { type: "Buffer", data: expect.any(Array) as unknown } } },
  });
});
