/**
 * W18, a hub that does not keep up: it puts off what can wait before connections are in danger, says so to machines, people and
 * commands, takes and sends messages all the same, and comes back to all that it put off.
 */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { CAN_WAIT } from "../../hub/core/pressure.ts";
import { runHubCommand } from "../../scripts/hub/program.ts";
import type { CrmRequest } from "../support/fake-crm.ts";
import { HubCallError } from "../support/hub-client.ts";
import { startMailServer } from "../support/mail-server.ts";
import { until } from "../support/until.ts";
import { askReady, trySend } from "./asked.ts";
import { judge } from "./invariants.ts";
import { canLimit } from "./process-limits.ts";
import { aScene, PATIENCE_MS, type Scene } from "./scene.ts";
import { settle } from "./settle.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
console.log(`W18: FAULT_SEED=${SEED}`);
const QUICK_ROUNDS = new URL("../support/quick-rounds.mjs", import.meta.url).href;
const LIMIT_MS = 240_000;
/** Longer than the library waits before it gives connections up. */
const STILL_MS = 6_000;
/** From then on late all the time: a second and a half out of four. */
const LATE_MS = 1_500;
const IN_TIME_MS = 2_500;

interface Health {
  overloaded: boolean;
  putOff: string[];
}

/** Null where a connection that was kept is closed, after a standstill, just as it is used again. */
const health = async ({ stand }: Scene): Promise<Health | null> => {
  const response = await fetch(`${stand.hub().url}/health`).catch(() => null);
  return response === null ? null : ((await response.json()) as Health);
};

/** The code it is refused with; null when it is not. */
const refusal = (call: Promise<unknown>): Promise<string | null> =>
  call.then(
    () => null,
    (error: unknown) => {
      if (error instanceof HubCallError) return error.code;
      throw error;
    },
  );

/** Stops and continues the process until it is told to end. */
async function keepLate(pid: number, firstMs: number, ended: AbortSignal): Promise<void> {
  for (let ms = firstMs; !ended.aborted; ms = LATE_MS) {
    process.kill(pid, "SIGSTOP");
    await pause(ms);
    process.kill(pid, "SIGCONT");
    await pause(IN_TIME_MS);
  }
}

async function status({ stand }: Scene): Promise<string> {
  const out: string[] = [];
  await runHubCommand(["status"], {
    env: { HUB_URL: stand.hub().url, HUB_API_KEY: stand.hub().apiKey, HUB_DATA_DIR: stand.dataDir },
    now: () => new Date(),
    out: (text) => void out.push(text),
    err: (text) => void out.push(text),
  });
  return out.join("\n");
}

const heard = ({ stand }: Scene, is: (request: CrmRequest) => boolean): number =>
  stand.crm.requests().filter(is).length;

/** Messages whose words are still to be put into the index. A search would do that for itself. */
function unindexed({ stand }: Scene): number {
  const db = new Database(join(stand.dataDir, "hub.db"), { readonly: true, timeout: 5000 });
  try {
    const owed = "SELECT count(*) FROM message WHERE n > (SELECT n FROM words_done)";
    return Number(db.prepare<[]>(owed).pluck().get());
  } finally {
    db.close();
  }
}

/** When old data was looked for last. */
async function lastRound({ stand }: Scene): Promise<string | undefined> {
  const { entries } = await stand.client.get<{ entries: { action: string; at: string }[] }>(
    "/api/audit?limit=100",
  );
  return entries
    .filter(({ action }) => action === "store.old_removed")
    .map(({ at }) => at)
    .sort()
    .at(-1);
}

describe.skipIf(!canLimit())("a hub that does not keep up", () => {
  test(
    "W18: puts off what can wait, says so everywhere, loses nothing, and comes back to it",
    { timeout: LIMIT_MS },
    async () => {
      const mail = await startMailServer();
      const scene = await aScene(SEED, {
        nodeOptions: ["--import", QUICK_ROUNDS],
        env: {
          HUB_SMTP_URL: mail.url,
          HUB_ALERT_EMAIL: "ops@example.com",
          HUB_ALERT_FROM: "hub@example.com",
        },
      });
      const { stand, account, pid } = scene;
      const { client, emulator } = stand;
      const [from = "", other = ""] = account.people;
      const hears = (text: string): void =>
        void emulator.receive({ account: account.number, from, kind: "text", text });
      const chatNews = (): number =>
        heard(scene, ({ event, seq }) => event === "chat.updated" && seq > since);
      let since = 0;
      const picture = async (): Promise<number> => {
        const { url, apiKey } = stand.hub();
        const response = await fetch(`${url}/api/contacts/s1/${other}/photo`, {
          headers: { "X-API-Key": apiKey },
        });
        await response.arrayBuffer();
        return response.status;
      };
      const calls = {
        history: () => client.post("/api/sessions/s1/sync", {}),
        typing: () => client.post(`/api/messages/s1/${from}/typing`, { state: "composing" }),
      };
      const { connectedAt } = await client.get<{ connectedAt: string }>("/api/sessions/s1/status");
      await until("its first words to be in the index", () => unindexed(scene) === 0);

      const calm = new AbortController();
      const late = keepLate(pid, STILL_MS, calm.signal);
      let last: string | undefined;
      try {
        await until("it to say that it is late", async () => (await health(scene))?.overloaded, {
          timeoutMs: PATIENCE_MS,
        });
        expect((await health(scene))?.putOff).toEqual([...CAN_WAIT]);
        expect(await askReady(stand)).toEqual({ status: 503, failing: ["load"] });
        expect(await status(scene)).toContain(`put off meanwhile: ${CAN_WAIT.join(", ")}.`);

        since = Math.max(...stand.crm.requests().map(({ seq }) => seq));
        last = await lastRound(scene);
        hears("quokka");
        expect(await refusal(calls.history())).toBe("OVERLOADED");
        expect(await picture()).toBe(503);
        expect(await refusal(calls.typing())).toBeNull();
        const { job } = await client.post<{ job: string }>("/api/deliveries/replay", {
          event: "message.received",
        });
        // What must not wait does not.
        expect(await trySend(stand, account)).toBe(200);
        await until("the message at the CRM", () => heard(scene, ({ body }) => body.includes("quokka")) > 0);
        await until("people to be called", () => mail.letters.length === 1);
        await pause(3 * (LATE_MS + IN_TIME_MS));
        expect([chatNews(), await lastRound(scene)]).toEqual([0, last]);
        expect(unindexed(scene)).toBeGreaterThan(0);
        expect(heard(scene, ({ replay }) => replay)).toBe(0);
        expect(await client.get(`/api/deliveries/replays/${job}`)).toMatchObject({ state: "running" });
      } finally {
        calm.abort();
        await late;
      }

      await until("it to keep up", async () => (await health(scene))?.overloaded === false, {
        timeoutMs: PATIENCE_MS,
      });
      expect(await askReady(stand)).toEqual({ status: 200, failing: [] });
      await until("its words to be in the index", () => unindexed(scene) === 0);
      await until("the chat to be told", () => chatNews() > 0);
      await until("the replay", () => heard(scene, ({ replay }) => replay) > 0);
      await until("another round", async () => (await lastRound(scene)) !== last);
      expect(await refusal(calls.history())).not.toBe("OVERLOADED");
      expect(await picture()).toBe(200);
      expect(await refusal(calls.typing())).toBeNull();
      expect(await settle(stand)).toEqual([]);
      // Its other judgements know of no message that was sent by whoever the events go to.
      expect(judge(stand)).toMatchObject({ lost: 0, doubled: 0 });
      expect(await client.get("/api/sessions/s1/status")).toMatchObject({ isConnected: true, connectedAt });

      const told = stand.hub().output.find((line) => line.includes('"hub.keeps_up"')) ?? "{}";
      const { putOffSoFar } = JSON.parse(told) as { putOffSoFar: Record<string, number> };
      for (const what of CAN_WAIT) expect([what, (putOffSoFar[what] ?? 0) > 0]).toEqual([what, true]);

      const phases = (): unknown[] =>
        stand.crm
          .requests()
          .filter(({ event, data }) => event === "session.alert" && data["cause"] === "overloaded")
          .map(({ data }) => data["phase"]);
      await until("the alert at the CRM", () => phases().length > 0);
      expect(phases()).toEqual(["began"]);
      // Well for a moment first, then for a quarter of an hour.
      await pause(IN_TIME_MS);
      process.kill(pid, "SIGUSR2");
      await until("people to be told that it is over", () => mail.letters.length === 2);
      await until("the CRM to be told", () => phases().length === 2);
      expect(phases()).toEqual(["began", "ended"]);
    },
  );
});
