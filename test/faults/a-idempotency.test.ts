/** A5: one Idempotency-Key is one WhatsApp message: in parallel, with another body, and over a crash. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createIdempotency } from "../../hub/inbox/idempotency.ts";
import { storedFailure } from "../../hub/http/errors.ts";
import { answerCipher, openHttpRig, type HttpRig } from "../support/http-rig.ts";
import { until } from "../support/until.ts";

const order = { to: "34600111222", type: "text", message: "one order" };
const keyed = { headers: { "Idempotency-Key": "order-1" } };
const send = (rig: HttpRig, options: object = keyed) => rig.post("/api/messages/s1/send", order, options);

async function databaseFile(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "hub-a5-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return join(dir, "hub.db");
}

test("A5: fifty at once are one message, and every answer is either that one or 'in progress'", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  const answers = await Promise.all(Array.from({ length: 50 }, () => send(rig)));
  expect(rig.link.sent).toHaveLength(1);
  const id = rig.link.sent[0]?.messageId;
  for (const answer of answers) {
    if (answer.status === 200) expect(answer.data["messageId"]).toBe(id);
    else
      expect([answer.status, answer.json["code"], answer.headers.get("retry-after")]).toEqual([
        409,
        "IDEMPOTENCY_IN_PROGRESS",
        "1",
      ]);
  }
  expect((await send(rig)).data["messageId"]).toBe(id);
  const other = await rig.post("/api/messages/s1/send", { ...order, message: "other" }, keyed);
  expect([other.status, other.json["code"]]).toEqual([409, "IDEMPOTENCY_CONFLICT"]);
  expect(rig.link.sent).toHaveLength(1);
});

test("A5: killed after WhatsApp took the message and before the answer: the repeat gets that message, nothing is sent again", async () => {
  const file = await databaseFile();
  const first = await openHttpRig({
    file,
    change: (ctx, store) => ({
      ...ctx,
      // The answer is never written down: this is where the first life ends.
      idempotency: createIdempotency({
        sends: { ...store.sends, finish: () => new Promise(() => undefined) },
        cipher: answerCipher,
        clock: ctx.clock,
        failure: (error) => storedFailure(error, ctx.clock.now()),
      }),
    }),
  });
  await first.session("s1");
  void send(first).catch(() => undefined); // its connection ends with the first life
  await until("WhatsApp has it", async () => {
    const id = first.link.sent[0]?.messageId;
    return id !== undefined && (await first.store.inbox.message("s1", id))?.status === "sent";
  });

  const second = await openHttpRig({ file });
  await second.session("s1");
  const again = await send(second, { ...keyed, key: first.key });
  expect([again.status, again.data["messageId"]]).toEqual([200, first.link.sent[0]?.messageId]);
  expect(again.data["status"]).toBe("sent");
  expect(second.link.sent).toEqual([]);
});

test("A5: killed before the message left: the repeat sends it, under the id of the first try", async () => {
  const file = await databaseFile();
  const first = await openHttpRig({ file });
  await first.session("s1");
  first.link.onSend = () => new Promise(() => undefined);
  void send(first).catch(() => undefined); // its connection ends with the first life
  const waiting = await until("it was accepted", async () => (await first.store.sends.waiting("s1"))[0]);

  const second = await openHttpRig({ file });
  await second.session("s1");
  const again = await send(second, { ...keyed, key: first.key });
  expect([again.status, again.data["messageId"]]).toEqual([200, waiting.messageId]);
  expect(second.link.sent.map(({ messageId }) => messageId)).toEqual([waiting.messageId]);
});
