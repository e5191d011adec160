/** What happened to a message, told to people; and figures that end where a key's sight ends. */
import { expect, test } from "vitest";
import { aMessageFact } from "../support/builders.ts";
import { listIn, openHttpRig, type HttpRig } from "../support/http-rig.ts";

const ANA = "34600111222@s.whatsapp.net";

/** Sends what is due of an endpoint, as far as the store is concerned. */
async function answerWith(rig: HttpRig, endpointId: string, status: number): Promise<void> {
  const now = rig.clock.now();
  const due = await rig.store.outbox.leaseDue({ endpointId, now, limit: 10 });
  const isDone = status === 200;
  await rig.store.outbox.settle(
    due.map(({ n, laneId, attempts }) => ({
      n,
      laneId,
      patch: {
        state: isDone ? "delivered" : "retrying",
        attempts: attempts + 1,
        nextAttemptAt: isDone ? null : now,
        lastStatus: status,
        lastError: isDone ? null : `HTTP ${status}`,
        failure: isDone ? null : "endpoint",
        doneAt: isDone ? now : null,
      },
      attempt: {
        ...{ n: attempts + 1, at: now, ms: 12, status },
        error: isDone ? null : `HTTP ${status}`,
        responseHead: isDone ? '{"processed":true}' : "busy",
      },
    })),
    now,
  );
}

async function withEndpoint(rig: HttpRig): Promise<string> {
  const made = await rig.post("/api/endpoints", { url: "http://127.0.0.1:9/hook", sessions: ["s1"] });
  return String(made.data["id"]);
}

test("a message's trace tells when it was stored, each attempt, and what the CRM said", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  const endpointId = await withEndpoint(rig);
  await rig.tell("s1", aMessageFact({ chatId: ANA, id: "3A1", content: "private" }));
  rig.clock.advance(1000);
  await answerWith(rig, endpointId, 503);
  rig.clock.advance(5000);
  await answerWith(rig, endpointId, 200);
  const { status, data } = await rig.get("/api/messages/s1/3A1/trace");
  expect(status).toBe(200);
  const steps = listIn(data, "steps");
  expect(steps.map(({ step }) => step)).toEqual(["stored", "attempt", "answer", "attempt", "answer"]);
  expect(steps.map(({ detail }) => detail)).toMatchObject([
    expect.stringMatching(/^message.received, number \d+$/),
    `message.received to ${endpointId}, attempt 1`,
    expect.stringContaining("503 after 12 ms: HTTP 503 busy"),
    `message.received to ${endpointId}, attempt 2`,
    expect.stringContaining('200 after 12 ms: {"processed":true}'),
  ]);
  const times = steps.map(({ at }) => Date.parse(String(at)));
  expect(times).toEqual([...times].sort((a, b) => a - b));

  await rig.tell("s1", aMessageFact({ chatId: ANA, id: "3A0" }, { live: false }));
  expect(listIn((await rig.get("/api/messages/s1/3A0/trace")).data, "steps")).toMatchObject([
    { step: "history" },
  ]);
  expect((await rig.get("/api/messages/s1/3AFF/trace")).json["code"]).toBe("MESSAGE_NOT_FOUND");
});

test("a key that sees some sessions hears nothing of other people's endpoints: not in traces, not in figures", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  await rig.session("s2", { phoneNumber: "34600999777" });
  const mine = await withEndpoint(rig);
  await rig.post("/api/endpoints", { url: "http://127.0.0.1:9/all", sessions: "*" });
  await rig.tell("s1", aMessageFact({ chatId: ANA, id: "3A1" }));
  await rig.tell("s2", aMessageFact({ chatId: ANA, id: "3A2" }));
  const limited = { key: await rig.makeKey({ sessions: ["s1"] }) };

  const pending = async (options = {}): Promise<unknown[]> => [
    (await rig.get("/api/deliveries/stats", options)).data["pending"],
    (await rig.get("/api/sessions/stats", options)).data["deliveriesPending"],
  ];
  const [all] = await pending();
  expect(await pending()).toEqual([all, all]);
  const [few] = await pending(limited);
  expect(await pending(limited)).toEqual([few, few]);
  const listed = (await rig.get("/api/deliveries?state=pending", limited)).data["total"];
  expect([few, Number(few) < Number(all), Number(few) > 0]).toEqual([listed, true, true]);

  const trace = listIn((await rig.get("/api/messages/s1/3A1/trace", limited)).data, "steps");
  expect(trace.filter(({ step }) => step === "owed").map(({ detail }) => detail)).toEqual([
    `message.received to ${mine}: pending`,
  ]);
  expect((await rig.get("/api/messages/s2/3A2/trace", limited)).status).toBe(404);
});
