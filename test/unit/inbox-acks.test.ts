import { expect, test } from "vitest";
import { createAckWaiters } from "../../hub/inbox/ack-waiters.ts";
import type { Fact } from "../../hub/core/facts.ts";

const status = (id: string, change: Partial<Fact & { kind: "status" }>): Fact => ({
  kind: "status",
  chatId: "34600111222@s.whatsapp.net",
  ids: [id],
  status: "sent",
  at: 1,
  participant: null,
  ...change,
});

test.each(["sent", "delivered", "read"] as const)(
  "a message that is %s was taken by WhatsApp",
  async (word) => {
    const acks = createAckWaiters();
    const waiter = acks.wait("s1", "A");
    acks.tell("s1", [status("A", { status: word })]);
    expect(await waiter.outcome).toEqual({ taken: true });
  },
);

test("a refusal carries WhatsApp's code and words", async () => {
  const acks = createAckWaiters();
  const waiter = acks.wait("s1", "A");
  acks.tell("s1", [status("A", { status: "failed", code: "463", error: "restricted" })]);
  expect(await waiter.outcome).toEqual({ taken: false, code: "463", error: "restricted" });
});

test("the same id of another session answers nobody", async () => {
  const acks = createAckWaiters();
  const waiter = acks.wait("s1", "A");
  acks.tell("s2", [status("A", {})]);
  const first = await Promise.race([waiter.outcome, Promise.resolve("nothing")]);
  expect(first).toBe("nothing");
});

test("everybody who waits for a message hears of it", async () => {
  const acks = createAckWaiters();
  const waiters = [acks.wait("s1", "A"), acks.wait("s1", "A")];
  waiters[0]?.cancel();
  acks.tell("s1", [status("A", {})]);
  expect(await waiters[1]?.outcome).toEqual({ taken: true });
});
