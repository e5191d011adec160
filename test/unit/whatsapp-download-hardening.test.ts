import "../../hub/whatsapp/download-hardening.ts";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { ReadableStream } from "node:stream/web";
import { expect, test } from "vitest";

const body = (end: (controller: ReadableStreamDefaultController) => void): ReadableStream =>
  new ReadableStream({
    start: (controller) => {
      controller.enqueue(Buffer.from("half"));
    },
    pull: end,
  });

test("a download that breaks fails where it is read, and nowhere else", async () => {
  const broken = new Error("the server hung up");
  const read = Readable.fromWeb(body((controller) => controller.error(broken))).pipe(new PassThrough());
  await expect(buffer(read)).rejects.toBe(broken);
});

test("one that does not comes whole", async () => {
  const read = Readable.fromWeb(body((controller) => controller.close())).pipe(new PassThrough());
  expect((await buffer(read)).toString()).toBe("half");
});
