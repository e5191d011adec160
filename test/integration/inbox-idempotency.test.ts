import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HubError } from "../../hub/core/errors.ts";
import { createIdempotency, type StoredAnswer } from "../../hub/inbox/idempotency.ts";
import { hours } from "../support/fixed-clock.ts";
import { answerCipher } from "../support/http-rig.ts";
import { aRequest, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { until } from "../support/until.ts";

let inbox: InboxRig;
beforeEach(async () => {
  inbox = await openInbox();
});
afterEach(() => inbox.close());

/** The call of one CRM: the same key and body as long as nothing else is said. */
function call({ key = "order-1", text = "hola", route = "POST send s1" } = {}) {
  const { clock, store, sending } = inbox;
  const idempotency = createIdempotency({
    sends: store.sends,
    cipher: answerCipher,
    clock,
    failure: ({ code, message }) => ({ status: 422, body: JSON.stringify({ code, message }) }),
  });
  return idempotency.once(
    { owner: "key_1", route, key, requestBody: JSON.stringify({ text }) },
    sending.reserveId("s1"),
    async (reservedId): Promise<StoredAnswer> => {
      const message = await sending.send(aRequest({ reservedId, content: { kind: "text", text } }));
      return { status: 200, body: JSON.stringify({ messageId: message.id, status: message.status }) };
    },
  );
}

const codesOf = (results: PromiseSettledResult<unknown>[]) =>
  results.map((result) =>
    result.status === "fulfilled"
      ? "answered"
      : result.reason instanceof HubError
        ? result.reason.code
        : "bug",
  );

describe("a call under one key", () => {
  test("made 50 times at once sends one message; the others are told to wait and then get its answer", async () => {
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => call()));
    const codes = codesOf(results);
    expect(codes.filter((code) => code === "answered")).toHaveLength(1);
    expect(codes.filter((code) => code === "IDEMPOTENCY_IN_PROGRESS")).toHaveLength(49);
    expect(inbox.whatsapp.sent).toHaveLength(1);

    const again = await call();
    expect(again).toMatchObject({ replayed: true, status: 200 });
    expect(JSON.parse(again.body)).toMatchObject({ messageId: inbox.whatsapp.sent[0]?.messageId });
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });

  test("with another body is a conflict", async () => {
    await call();
    await expect(call({ text: "adiós" })).rejects.toMatchObject({ code: "IDEMPOTENCY_CONFLICT" });
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });

  test("is another call on another route, and a new one after a day", async () => {
    await call();
    await call({ route: "POST send s2" });
    inbox.clock.advance(hours(25));
    await call();
    expect(inbox.whatsapp.sent).toHaveLength(3);
  });

  test("that could not be carried out may be tried again", async () => {
    inbox.whatsapp.goesAway();
    await expect(call()).rejects.toMatchObject({ code: "SESSION_NOT_CONNECTED" });
    inbox.whatsapp.comesBack();
    expect(await call()).toMatchObject({ status: 200, replayed: false });
  });

  test("that WhatsApp refused keeps its refusal and sends nothing more", async () => {
    inbox.whatsapp.word = { code: "479" };
    expect(await call()).toMatchObject({ status: 422, replayed: false });
    inbox.whatsapp.word = "taken";
    const again = await call();
    expect(again).toMatchObject({ status: 422, replayed: true });
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });
});

describe("a crash under a keyed call", () => {
  test("before the message left: the repeat sends it, under the id of the first", async () => {
    inbox.whatsapp.onSend = () => new Promise(() => undefined);
    void call().catch(() => undefined);
    await until("it was accepted", async () => (await inbox.events()).includes("message.received"));
    const [accepted] = await inbox.store.sends.waiting("s1");
    await inbox.crash();

    const again = JSON.parse((await call()).body) as { messageId: string; status: string };
    expect(again).toEqual({ messageId: accepted?.messageId, status: "sent" });
    expect(inbox.whatsapp.sent.map(({ messageId }) => messageId)).toEqual([accepted?.messageId]);
  });

  test("after WhatsApp took it: the repeat answers with that message and sends nothing", async () => {
    const reservedId = inbox.sending.reserveId("s1");
    const key = { owner: "key_1", route: "POST send s1", key: "order-1" };
    const idempotency = createIdempotency({
      sends: { ...inbox.store.sends, finish: () => new Promise(() => undefined) },
      cipher: answerCipher,
      clock: inbox.clock,
      failure: () => ({ status: 422, body: "" }),
    });
    let sent = false;
    void idempotency.once(
      { ...key, requestBody: JSON.stringify({ text: "hola" }) },
      reservedId,
      async (id) => {
        await inbox.sending.send(aRequest({ reservedId: id }));
        sent = true;
        return { status: 200, body: "" };
      },
    );
    await until("WhatsApp took it", () => sent);
    await inbox.crash();

    const again = JSON.parse((await call()).body) as { messageId: string; status: string };
    expect(again).toEqual({ messageId: reservedId, status: "sent" });
    expect(inbox.whatsapp.sent).toEqual([]);
  });
});
