import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HubError } from "../../hub/core/errors.ts";
import { createIdempotency, type Idempotency, type StoredAnswer } from "../../hub/inbox/idempotency.ts";
import { hours } from "../support/fixed-clock.ts";
import { answerCipher } from "../support/http-rig.ts";
import { aRequest, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { until } from "../support/until.ts";

let inbox: InboxRig;
beforeEach(async () => {
  inbox = await openInbox();
});
afterEach(() => inbox.close());

/** One for each life of the hub. */
const perLife = new WeakMap<InboxRig["store"], Idempotency>();

function idempotencyOf({ clock, store }: InboxRig): Idempotency {
  const idempotency =
    perLife.get(store) ??
    createIdempotency({
      sends: store.sends,
      cipher: answerCipher,
      clock,
      failure: ({ code, message }) => ({ status: 422, body: JSON.stringify({ code, message }) }),
    });
  perLife.set(store, idempotency);
  return idempotency;
}

/** The call of one CRM: the same key and body as long as nothing else is said. */
function call({ key = "order-1", text = "hola", route = "POST send s1" } = {}) {
  const { sending } = inbox;
  return idempotencyOf(inbox).once(
    { owner: "key_1", route, key, requestBody: JSON.stringify({ text }) },
    sending.reserveId("s1"),
    async (reservedId): Promise<StoredAnswer> => {
      const message = await sending.send(aRequest({ reservedId, content: { kind: "text", text } }));
      return { status: 200, body: JSON.stringify({ messageId: message.id, status: message.status }) };
    },
  );
}

const unavailable = (): HubError => new HubError("STORE_UNAVAILABLE", "The disk did not answer.");

/** The next read of a message after one was accepted fails, as often as told. */
function readsFailAfterAcceptance(times = 1): void {
  const { sends, inbox: reads } = inbox.store;
  const { accept } = sends;
  const { message } = reads;
  let failures = 0;
  sends.accept = async (send) => {
    await accept(send);
    failures = times;
  };
  reads.message = (...asked) => {
    if (failures === 0) return message(...asked);
    failures -= 1;
    return Promise.reject(unavailable());
  };
}

/** The next call of this kind fails and does nothing. */
function failsOnce(what: "finish" | "release"): void {
  const { sends } = inbox.store;
  const works = sends[what];
  const fails = (): Promise<void> => {
    Object.assign(sends, { [what]: works });
    return Promise.reject(unavailable());
  };
  Object.assign(sends, { [what]: fails });
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

describe("a store that fails under a keyed call", () => {
  const messageOf = ({ body }: StoredAnswer) => JSON.parse(body) as { messageId: string; status: string };

  test("after the message was accepted: one message leaves, and the repeat gets its answer", async () => {
    readsFailAfterAcceptance();
    await expect(call()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    const again = await call();
    await until("it left", () => inbox.whatsapp.sent.length > 0);
    expect(messageOf(again)).toEqual({ messageId: inbox.whatsapp.sent[0]?.messageId, status: "sent" });
    expect(await call()).toMatchObject({ replayed: true, body: again.body });
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });

  test("when its turn is asked for: the message leaves without a repeat, which gets its answer", async () => {
    const { sends, sessions } = inbox.store;
    const { accept } = sends;
    const { get } = sessions;
    sends.accept = async (send) => {
      await accept(send);
      sessions.get = () => {
        sessions.get = get;
        return Promise.reject(unavailable());
      };
    };
    await expect(call()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await until("it left", () => inbox.whatsapp.sent.length > 0);
    expect(messageOf(await call()).messageId).toBe(inbox.whatsapp.sent[0]?.messageId);
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });

  test("and the second time as well: still one message", async () => {
    readsFailAfterAcceptance(3);
    for (let n = 0; n < 3; n++) await expect(call()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    const { messageId } = messageOf(await call());
    await until("it left", () => inbox.whatsapp.sent.length > 0);
    expect(inbox.whatsapp.sent.map((order) => order.messageId)).toEqual([messageId]);
  });

  test("when the claim is to be given back: the repeat is not told to wait for a call that is over", async () => {
    readsFailAfterAcceptance();
    failsOnce("release");
    await expect(call()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(messageOf(await call()).messageId).toBe(inbox.whatsapp.sent[0]?.messageId);
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });

  test("when the answer is to be kept: its caller gets it, and so do repeats", async () => {
    failsOnce("finish");
    const first = await call();
    expect(first).toMatchObject({ status: 200, replayed: false });
    for (let n = 0; n < 2; n++) expect(await call()).toEqual({ ...first, replayed: true });
    await inbox.crash();
    expect(await call()).toEqual({ ...first, replayed: true });
  });
});
