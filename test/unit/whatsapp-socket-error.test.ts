/** Which unhandled rejections of the library a hub survives. Found by the row W2: a reset under a write ended the process. */
import { expect, test } from "vitest";
import { GenerationEnded } from "../../hub/whatsapp/generation.ts";
import { isBaileysSocketError } from "../../hub/whatsapp/socket-error.ts";

/** As the library words its own failures. */
const libraryError = (statusCode: number): Error =>
  Object.assign(new Error("closed"), { output: { statusCode } });
const systemError = (code: string): Error =>
  Object.assign(new Error(`write ${code}`), { code, syscall: "write" });

test.each(["ECONNRESET", "EPIPE", "ETIMEDOUT", "ERR_STREAM_DESTROYED"])(
  "a write that meets %s is a lost connection",
  (code) => {
    expect(isBaileysSocketError(systemError(code))).toBe(true);
  },
);

test("so are the library's own word for it, and our fence", () => {
  expect(isBaileysSocketError(libraryError(428))).toBe(true);
  expect(isBaileysSocketError(new GenerationEnded())).toBe(true);
});

test.each([
  new TypeError("x is not a function"),
  systemError("ENOSPC"),
  libraryError(500),
  "a string",
  undefined,
])("anything else is a bug: %s", (reason) => {
  expect(isBaileysSocketError(reason)).toBe(false);
});
