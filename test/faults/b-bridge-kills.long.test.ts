/** B3: the bridge killed at any step of a webhook and of a sync. Whatever the moment: nothing lost, nothing there twice. */
import { expect, test } from "vitest";
import { until } from "../support/until.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";
import { hurry, messages, openBridgeStand, SESSION, settle } from "./bridge-stand.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
const POINTS = ["before-write", "in-write", "after-write"];
const ROUNDS = 2;
const LIMIT_MS = 300_000;
const MAX_LIVES = 40;
const CHATS = 20;

test(
  "B3: killed before the write, in it, and after it before the 2xx: every message once",
  async () => {
    console.log(`B3: FAULT_SEED=${SEED}`);
    const random = createRandom(`${SEED} webhooks`);
    const { hub, site } = await openBridgeStand({}, { onlyByRetries: true });
    await hub.tell(SESSION, messages(20, { live: false }));
    await site.start();
    expect(await settle({ hub }, site)).toEqual([]);
    await site.kill();
    for (const point of Array.from({ length: ROUNDS }, () => POINTS).flat()) {
      const crashAt = `${point}:${1 + random.int(4)}`;
      await site.start({ crashAt });
      hurry();
      await until(`the bridge to fall at ${crashAt}`, async () => {
        if (!site.isDown()) await hub.tell(SESSION, messages(6));
        return site.isDown();
      });
    }
    await site.start();
    expect(await settle({ hub }, site)).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "B3: killed again and again in the middle of a sync, which goes on where it was: every record once",
  async () => {
    console.log(`B3: FAULT_SEED=${SEED}`);
    const random = createRandom(`${SEED} sync`);
    const { hub, site } = await openBridgeStand();
    await hub.tell(SESSION, messages(400, { chats: CHATS, live: false }));
    const isDone = async (): Promise<boolean> => {
      if (site.isDown()) return false;
      const { sessions } = await site.crm
        .method<{ sessions: { last_sync: string | null }[] }>("sync.get_sync_status")
        .catch(() => ({ sessions: [] }));
      return sessions.some(({ last_sync: at }) => at !== null);
    };
    let kills = 0;
    for (let life = 0; life < MAX_LIVES; life += 1) {
      await site.start({ crashAt: `step:${20 + random.int(40 + 15 * life)}` });
      await until("the bridge to fall or the sync to end", async () => site.isDown() || (await isDone()));
      if (!site.isDown()) break;
      kills += 1;
      if (kills === 2) await hub.tell(SESSION, messages(10));
    }
    console.log(`B3: ${kills} kills until the sync was through`);
    await site.kill();
    await site.start();
    expect(await settle({ hub }, site)).toEqual([]);
    expect(kills).toBeGreaterThan(1);
    expect(await site.crm.count("WhatsApp Conversation")).toBe(CHATS);
  },
  LIMIT_MS,
);
