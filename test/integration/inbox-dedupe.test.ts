import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HubError } from "../../hub/core/errors.ts";
import { createDedupe, type SendIdentity } from "../../hub/inbox/dedupe.ts";
import { seconds } from "../support/fixed-clock.ts";
import { aRequest, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { until } from "../support/until.ts";

let inbox: InboxRig;
beforeEach(async () => {
  inbox = await openInbox();
});
afterEach(() => inbox.close());

const identity = (change: Partial<SendIdentity> = {}): SendIdentity => ({
  client: "crm",
  sessionId: "s1",
  chatId: "34600111222@s.whatsapp.net",
  type: "text",
  requestBody: '{"text":"ok"}',
  dedupeSeconds: 0,
  ...change,
});

const aDedupe = <T>() => {
  const { store, sending, clock } = inbox;
  const { sends, inbox: messages } = store;
  return createDedupe<T>({ sends, inbox: messages, reserveId: (id) => sending.reserveId(id), clock });
};

function aSender() {
  const dedupe = aDedupe<number>();
  let sends = 0;
  const send = (change: Partial<SendIdentity> = {}, work = () => Promise.resolve(++sends)) =>
    dedupe.run(identity(change), work);
  return { clock: inbox.clock, send, count: () => sends };
}

describe("a send repeated without a key", () => {
  test("is merged with the first while that is running", async () => {
    const { send, count } = aSender();
    const [first, second] = await Promise.all([send(), send()]);
    expect([first.value, second.value]).toEqual([1, 1]);
    expect([first.repeated, second.repeated]).toEqual([false, true]);
    expect(count()).toBe(1);
  });

  test("is a new message once the first answer arrived: people do write ok twice", async () => {
    const { send, count } = aSender();
    (await send()).reached(true);
    await send();
    expect(count()).toBe(2);
  });

  test("gets the first answer for two minutes when that never arrived", async () => {
    const { send, clock, count } = aSender();
    (await send()).reached(false);
    clock.advance(seconds(119));
    const again = await send();
    expect(again).toMatchObject({ value: 1, repeated: true });
    clock.advance(seconds(2));
    await send();
    expect(count()).toBe(2);
  });

  test("is a new message after the repeat's answer arrived", async () => {
    const { send, count } = aSender();
    (await send()).reached(false);
    (await send()).reached(true);
    await send();
    expect(count()).toBe(2);
  });

  test("is merged for the key's own time although the answer arrived", async () => {
    const { send, clock, count } = aSender();
    (await send({ dedupeSeconds: 60 })).reached(true);
    clock.advance(seconds(59));
    expect((await send({ dedupeSeconds: 60 })).repeated).toBe(true);
    clock.advance(seconds(2));
    await send({ dedupeSeconds: 60 });
    expect(count()).toBe(2);
  });

  test("is a try of its own after a failure", async () => {
    const { send, count } = aSender();
    await expect(send({}, () => Promise.reject(new Error("not connected")))).rejects.toThrow("not connected");
    expect((await send()).repeated).toBe(false);
    expect(count()).toBe(1);
  });

  test.each([
    { client: "other" },
    { sessionId: "s2" },
    { chatId: "34600111333@s.whatsapp.net" },
    { requestBody: '{"text":"OK"}' },
  ])("is no repeat with another %j", async (change) => {
    const { send, count } = aSender();
    await Promise.all([send(), send(change)]);
    expect(count()).toBe(2);
  });
});

describe("a crash before the answer of a send without a key", () => {
  const hola = () =>
    aDedupe<string>().run(
      identity(),
      async (reservedId) => (await inbox.sending.send(aRequest({ reservedId }))).id,
    );

  test("lets the repeat find the first message instead of sending a second", async () => {
    inbox.whatsapp.onSend = () => new Promise(() => undefined);
    void hola().catch(() => undefined);
    await until("it was accepted", async () => (await inbox.events()).includes("message.received"));
    const [accepted] = await inbox.store.sends.waiting("s1");
    await inbox.crash();
    inbox.clock.advance(seconds(60));
    expect((await hola()).value).toBe(accepted?.messageId);
    expect(inbox.whatsapp.sent.map(({ messageId }) => messageId)).toEqual([accepted?.messageId]);
  });

  test("is forgotten after two minutes: the same words later are a new message", async () => {
    const { value: first } = await hola();
    await inbox.crash();
    inbox.clock.advance(seconds(121));
    expect((await hola()).value).not.toBe(first);
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });

  test("changes nothing for an answer that had arrived", async () => {
    const first = await hola();
    first.reached(true);
    await inbox.crash();
    expect((await hola()).value).not.toBe(first.value);
  });
});

describe("a failure of ours after a send without a key was accepted", () => {
  const hola = (fails: boolean, dedupe = aDedupe<string>()) =>
    dedupe.run(identity(), async (reservedId) => {
      const { id } = await inbox.sending.send(aRequest({ reservedId }));
      if (fails) throw new HubError("STORE_UNAVAILABLE", "The disk did not answer.");
      return id;
    });

  test("lets the repeat find the first message instead of sending a second", async () => {
    await expect(hola(true)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect((await hola(false)).value).toBe(inbox.whatsapp.sent[0]?.messageId);
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });

  test("also when the note of it could not be let go of", async () => {
    const dedupe = aDedupe<string>();
    const { release } = inbox.store.sends;
    inbox.store.sends.release = () => {
      inbox.store.sends.release = release;
      return Promise.reject(new Error("the disk did not answer"));
    };
    await expect(hola(true, dedupe)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect((await hola(false, dedupe)).value).toBe(inbox.whatsapp.sent[0]?.messageId);
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });

  test("a message that WhatsApp refused is tried anew", async () => {
    inbox.whatsapp.word = { code: "479" };
    await expect(hola(false)).rejects.toMatchObject({ code: "WHATSAPP_ERROR" });
    inbox.whatsapp.word = "taken";
    expect((await hola(false)).value).toBe(inbox.whatsapp.sent[1]?.messageId);
    expect(inbox.whatsapp.sent).toHaveLength(2);
  });
});
