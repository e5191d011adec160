import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { ANA, aRequest, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { aMessageFact } from "../support/builders.ts";
import { hours, minutes, seconds } from "../support/fixed-clock.ts";

let inbox: InboxRig;
beforeEach(async () => {
  inbox = await openInbox();
});
afterEach(() => inbox.close());

const textsSent = () =>
  inbox.whatsapp.sent.map(({ content }) => (content.kind === "text" ? content.text : content.kind));
const stored = async (id: string) => inbox.store.inbox.message("s1", id);

describe("a send", () => {
  test("is answered as sent when WhatsApp took it, under the id that left", async () => {
    const message = await inbox.sending.send(aRequest());
    expect(message).toMatchObject({
      chatId: ANA,
      status: "sent",
      content: "hola",
      fromMe: true,
      client: "crm",
    });
    expect(inbox.whatsapp.sent).toMatchObject([{ chatId: ANA, messageId: message.id }]);
  });

  test("is on disk with its id before it leaves", async () => {
    let before: string | undefined;
    inbox.whatsapp.onSend = async ({ messageId }) => {
      before = (await stored(messageId))?.status;
    };
    await inbox.sending.send(aRequest());
    expect(before).toBe("pending");
  });

  test("is told to other clients before WhatsApp's word on it", async () => {
    await inbox.sending.send(aRequest());
    expect(await inbox.events()).toEqual(["message.received", "message.sent"]);
  });

  test("without an answer of WhatsApp is pending, and becomes sent later", async () => {
    await inbox.close();
    inbox = await openInbox({ ackWaitMs: 50 });
    inbox.whatsapp.word = "none";
    const message = await inbox.sending.send(aRequest());
    expect(message.status).toBe("pending");
    const order = inbox.whatsapp.sent[0];
    if (order === undefined) throw new Error("nothing was sent");
    await inbox.whatsapp.says(order, "taken");
    expect((await stored(message.id))?.status).toBe("sent");
  });

  test("refused by WhatsApp fails with its code and is no longer pending", async () => {
    inbox.whatsapp.word = { code: "479" };
    const sending = inbox.sending.send(aRequest());
    await expect(sending).rejects.toMatchObject({ code: "WHATSAPP_ERROR", details: { whatsappCode: "479" } });
    const [order] = inbox.whatsapp.sent;
    expect((await stored(order?.messageId ?? ""))?.status).toBe("failed");
    expect(await inbox.events()).toEqual(["message.received", "message.failed"]);
  });

  test("to a stranger, while WhatsApp forbids new chats, says so", async () => {
    inbox.whatsapp.word = { code: "463" };
    await expect(inbox.sending.send(aRequest())).rejects.toMatchObject({ code: "RECIPIENT_RESTRICTED" });
  });

  test("while not connected is refused before anything is kept", async () => {
    inbox.whatsapp.goesAway();
    await expect(inbox.sending.send(aRequest())).rejects.toMatchObject({ code: "SESSION_NOT_CONNECTED" });
    expect(await inbox.events()).toEqual([]);
  });

  test("to a number without WhatsApp is refused, and the number is asked once a day", async () => {
    inbox.whatsapp.unknownNumbers.add("34600111222");
    for (let i = 0; i < 3; i++)
      await expect(inbox.sending.send(aRequest())).rejects.toMatchObject({
        code: "RECIPIENT_NOT_ON_WHATSAPP",
      });
    expect(inbox.whatsapp.asked.lookUp).toBe(1);
    expect(await inbox.events()).toEqual([]);
    expect(await inbox.store.inbox.chat("s1", ANA)).toBeNull();
  });

  test("to a number that is written with one hyphen goes to that person, and makes no group", async () => {
    const message = await inbox.sending.send(aRequest({ to: "+58 412-1234567" }));
    expect(message.chatId).toBe("584121234567@s.whatsapp.net");
    expect(await inbox.store.inbox.chat("s1", "58412-1234567@g.us")).toBeNull();
  });

  test("to somebody who wrote before asks nobody", async () => {
    await inbox.parts.ingest({ sessionId: "s1", facts: [aMessageFact()], closes: [] });
    await inbox.sending.send(aRequest());
    expect(inbox.whatsapp.asked.lookUp).toBe(0);
  });

  test("two equal texts in a row are two messages", async () => {
    await inbox.sending.send(aRequest({ content: { kind: "text", text: "ok" } }));
    await inbox.sending.send(aRequest({ content: { kind: "text", text: "ok" } }));
    expect(textsSent()).toEqual(["ok", "ok"]);
    const page = await inbox.store.inbox.messages({ sessionId: "s1", order: "asc", limit: 10, page: 1 });
    expect(page.total).toBe(2);
  });

  test("keeps the order of its chat while an earlier one is slow, and overtakes nobody else's", async () => {
    let finish: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    inbox.whatsapp.onSend = ({ content }) =>
      content.kind === "text" && content.text === "1" ? slow : undefined;
    const say = (text: string, to: string) =>
      inbox.sending.send(aRequest({ to, content: { kind: "text", text } }));
    const first = say("1", "34600111222");
    await until("the first is on its way", async () => (await inbox.events()).length === 1);
    const second = say("2", "34600111222");
    await say("other", "34600111333");
    expect(textsSent()).toEqual(["other"]);
    finish();
    await Promise.all([first, second]);
    expect(textsSent()).toEqual(["other", "1", "2"]);
  });

  test("quotes a message of the chat, and refuses to quote an unknown one", async () => {
    const fact = aMessageFact({ id: "3AQUOTED" });
    await inbox.parts.ingest({ sessionId: "s1", facts: [fact], closes: [] });
    await inbox.sending.send(aRequest({ quotedMessageId: "3AQUOTED" }));
    expect(inbox.whatsapp.sent[0]?.quoted?.id).toBe("3AQUOTED");
    await expect(inbox.sending.send(aRequest({ quotedMessageId: "3ANOBODY" }))).rejects.toMatchObject({
      code: "VALIDATION_ERROR",
    });
  });

  test.each([
    [{ kind: "location", latitude: 40.4, longitude: -3.7, name: "Madrid", address: null }, "📍 Madrid"],
    [{ kind: "contact", displayName: null, contacts: [{ name: "Eva", phone: "+34600" }] }, "👤 Eva"],
    [{ kind: "poll", name: "When?", values: ["now", "later"], selectableCount: 1 }, "📊 When?"],
  ] as const)("of another kind is kept as people read it: %j", async (content, readable) => {
    const copy = JSON.parse(JSON.stringify(content)) as typeof content;
    // The table is read-only to its types; the request is not.
    const message = await inbox.sending.send(aRequest({ content: copy as never }));
    expect(message.content).toBe(readable);
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });
});

describe("a send to be queued", () => {
  const queued = (change = {}) => inbox.sending.send(aRequest({ queue: true, ...change }));

  test("waits while not connected and leaves at the next connection, in order", async () => {
    inbox.whatsapp.goesAway();
    const first = await queued({ content: { kind: "text", text: "1" } });
    const second = await queued({ content: { kind: "text", text: "2" } });
    expect([first.status, second.status]).toEqual(["pending", "pending"]);
    expect(textsSent()).toEqual([]);

    inbox.whatsapp.comesBack();
    await inbox.sending.resume("s1");
    expect(inbox.whatsapp.sent.map(({ messageId }) => messageId)).toEqual([first.id, second.id]);
    await until("WhatsApp took both", async () => (await stored(second.id))?.status === "sent");
  });

  test("fails as expired when its time is over, and is not sent any more", async () => {
    inbox.whatsapp.goesAway();
    const message = await queued({ ttlSeconds: 60 });
    inbox.clock.advance(seconds(61));
    await inbox.sending.giveUpOverdue();
    expect((await stored(message.id))?.status).toBe("failed");
    const bodies = await inbox.store.events.after({ after: 0, limit: 10, sessions: "*" });
    expect(JSON.parse(bodies.at(-1)?.body ?? "{}")).toMatchObject({
      event: "message.failed",
      data: { messageId: message.id, code: "expired" },
    });

    inbox.whatsapp.comesBack();
    await inbox.sending.resume("s1");
    expect(textsSent()).toEqual([]);
  });

  test("waits an hour unless it says otherwise, and a day at most", async () => {
    inbox.whatsapp.goesAway();
    const usual = await queued();
    const longest = await queued({ ttlSeconds: 10_000_000 });
    inbox.clock.advance(minutes(61));
    await inbox.sending.giveUpOverdue();
    expect((await stored(usual.id))?.status).toBe("failed");
    expect((await stored(longest.id))?.status).toBe("pending");
    inbox.clock.advance(hours(23));
    await inbox.sending.giveUpOverdue();
    expect((await stored(longest.id))?.status).toBe("failed");
  });

  test("accepted before a crash leaves after it, once, under the same id", async () => {
    inbox.whatsapp.goesAway();
    const message = await queued();
    await inbox.crash();
    await Promise.all([inbox.sending.resume("s1"), inbox.sending.resume("s1")]);
    expect(inbox.whatsapp.sent.map(({ messageId }) => messageId)).toEqual([message.id]);
  });
});

describe("a connection that breaks under a send", () => {
  test("leaves it waiting for the next one, which sends it under the same id", async () => {
    let broke = false;
    inbox.whatsapp.onSend = () => {
      if (broke) return;
      broke = true;
      inbox.whatsapp.goesAway();
    };
    const sending = inbox.sending.send(aRequest());
    await until("the connection broke", () => broke);
    await inbox.sending.idle();
    inbox.whatsapp.comesBack();
    await inbox.sending.resume("s1");
    const message = await sending;
    expect(message.status).toBe("sent");
    expect(inbox.whatsapp.sent.map(({ messageId }) => messageId)).toEqual([message.id]);
  });

  test("for a moment only refuses nothing: what is sent meanwhile waits for the connection", async () => {
    inbox.whatsapp.goesAway({ recovering: true });
    const sending = inbox.sending.send(aRequest());
    await until("it was accepted", async () => (await inbox.events()).length === 1);
    inbox.whatsapp.comesBack();
    await inbox.sending.resume("s1");
    expect((await sending).status).toBe("sent");
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });

  test("and is back before the send noticed lets it go at once", async () => {
    let tries = 0;
    inbox.whatsapp.onSend = () => {
      tries++;
      if (tries > 1) return;
      inbox.whatsapp.goesAway();
      inbox.whatsapp.comesBack();
    };
    expect((await inbox.sending.send(aRequest())).status).toBe("sent");
    expect(inbox.whatsapp.sent).toHaveLength(1);
  });
});

describe("a message WhatsApp never confirmed", () => {
  test("is given up after a day, and a late receipt proves the contrary", async () => {
    await inbox.close();
    inbox = await openInbox({ ackWaitMs: 20 });
    inbox.whatsapp.word = "none";
    const message = await inbox.sending.send(aRequest());
    inbox.clock.advance(hours(23));
    await inbox.sending.giveUpOverdue();
    expect((await stored(message.id))?.status).toBe("pending");
    inbox.clock.advance(hours(2));
    await inbox.sending.giveUpOverdue();
    expect((await stored(message.id))?.status).toBe("failed");

    const [order] = inbox.whatsapp.sent;
    if (order === undefined) throw new Error("nothing was sent");
    await inbox.whatsapp.says(order, "taken");
    expect((await stored(message.id))?.status).toBe("sent");
  });
});

describe("a failed message", () => {
  test("sent again keeps its id", async () => {
    inbox.whatsapp.word = { code: "479" };
    await inbox.sending.send(aRequest()).catch(() => undefined);
    const id = inbox.whatsapp.sent[0]?.messageId ?? "";
    inbox.whatsapp.word = "taken";
    const again = await inbox.sending.retry({ ...aRequest(), messageId: id, chatId: null });
    expect(again).toMatchObject({ id, status: "sent" });
    expect(inbox.whatsapp.sent.map(({ messageId }) => messageId)).toEqual([id, id]);
  });

  test("is the only kind that can be sent again", async () => {
    const { id } = await inbox.sending.send(aRequest());
    await expect(inbox.sending.retry({ ...aRequest(), messageId: id, chatId: null })).rejects.toMatchObject({
      code: "STATE_CONFLICT",
    });
  });
});

describe("stopping", () => {
  test("lets waiting calls answer and refuses new ones", async () => {
    inbox.whatsapp.word = "none";
    const sending = inbox.sending.send(aRequest());
    await until("it left", () => inbox.whatsapp.sent.length === 1);
    await inbox.sending.stop();
    expect((await sending).status).toBe("pending");
    await expect(inbox.sending.send(aRequest())).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  });
});
