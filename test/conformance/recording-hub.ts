/**
 * A process that stores as fast as it can, to be killed by a test: stanza, then message, then deliveries settled. Prints
 * the id of each message whose `record` was answered. Arguments: data folder, round.
 */
import { closedBreaker } from "../../hub/core/endpoint.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { aMessageFact, aNewSession, anEndpoint, anIntakeEntry, bytes } from "../support/builders.ts";

const [dataDir = "", round = "0"] = process.argv.slice(2);
const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const clock = { now: () => new Date() };

const store = await openStore({ dataDir, publicUrl: "https://hub.example", clock, log });
await store.sessions.create(aNewSession());
for (const [id, events] of [
  ["ep_all", ["*"]],
  ["ep_messages", ["message.received"]],
] as const)
  await store.endpoints.save(anEndpoint({ id, events: [...events], breaker: closedBreaker }));

for (let n = 0; ; n++) {
  const id = `${round}-${n}`;
  const chatId = `3460010000${n % 7}@s.whatsapp.net`;
  const entry = anIntakeEntry({ order: n, digest: bytes(`digest ${id}`), stanzaId: id });
  await store.auth.commit("s1", {
    keys: [{ type: "session", id: chatId, value: bytes(id) }],
    intake: [entry],
  });
  const fact = aMessageFact({ id, chatId, timestamp: Math.floor(Date.now() / 1000) });
  await store.inbox.record({ sessionId: "s1", facts: [fact], closes: [entry.digest], now: new Date() });
  process.stdout.write(`${id}\n`);
  if (n % 3 === 0) await settleSome();
}

async function settleSome(): Promise<void> {
  const now = new Date();
  const due = await store.outbox.leaseDue({ endpointId: "ep_all", now, limit: 4 });
  await store.outbox.settle(
    due.map(({ n, laneId, attempts }) => ({
      n,
      laneId,
      attempt: { n: attempts + 1, at: now, ms: 1, status: 200, error: null, responseHead: null },
      patch: {
        state: "delivered",
        attempts: attempts + 1,
        nextAttemptAt: null,
        lastStatus: 200,
        lastError: null,
        failure: null,
        doneAt: now,
      },
    })),
    now,
  );
}
