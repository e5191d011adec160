/** O8 of the fault table: last night's backup is restored. Readers notice, nothing is numbered twice, no storm of old news. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { backupNow, restoreBackup } from "../../hub/safekeeping/data-folder.ts";
import { aMessageFact } from "../support/builders.ts";
import { startFakeCrm } from "../support/fake-crm.ts";
import { logBook } from "../support/log-book.ts";
import { freePort } from "../support/product-process.ts";
import { startPuppetHub } from "../support/puppet-hub.ts";
import { until } from "../support/until.ts";

const log = logBook();
const SECRET = "a secret of the endpoint";

interface Feed {
  hubId: string;
  epoch: number;
  latestSeq: number;
  events: { seq: number }[];
}

test("O8: a hub restored from its backup tells its CRM what is new, and nothing old again", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "hub-o8-"));
  const crm = await startFakeCrm({ secret: SECRET });
  const hub = await startPuppetHub({ dataDir, port: await freePort() });
  onTestFinished(async () => {
    await hub.stop();
    await crm.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  const folder = {
    dataDir,
    masterKey: null,
    masterKeyPrevious: null,
    masterKeyFile: null,
    jidForm: "c.us" as const,
  };
  const feed = (): Promise<Feed> => hub.client.get<Feed>("/api/events?after=0&limit=1000");
  const say = async (count: number, content: string): Promise<void> => {
    await hub.tell(
      "s1",
      Array.from({ length: count }, (_, n) => aMessageFact({ content: `${content} ${n}` })),
    );
  };
  const heard = (content: string): number =>
    crm.messages().filter((message) => String(message["content"]).startsWith(content)).length;

  await hub.client.post("/api/endpoints", { url: crm.url, secret: SECRET, events: ["message.received"] });
  await hub.link("s1");
  await say(40, "before");
  await until("what was before the backup is told", () => heard("before") === 40);
  // What is owed at the time of a backup is sent again after it, under the same id, as after any kill.
  await until("all of it is settled", async () => {
    const stats = await hub.client.get<{ deliveriesPending: number }>("/api/sessions/stats");
    return stats.deliveriesPending === 0;
  });
  const backup = await backupNow(folder, log);
  await say(25, "since");
  await until("what came since is told", () => heard("since") === 25);
  const old = await feed();
  await hub.stop();
  const told = crm.counts().requests;

  await restoreBackup(folder, { backup: backup.name }, log);
  await hub.start();
  const now = await feed();
  expect(now.hubId).toBe(old.hubId);
  expect(now.epoch).toBe(old.epoch + 1);
  await say(3, "after");
  await until("what is new is told", () => heard("after") === 3);
  const numbers = crm.accepted().map(({ seq }) => seq);
  expect(new Set(numbers).size).toBe(numbers.length);
  const fresh = crm
    .accepted()
    .filter(({ data }) => JSON.stringify(data).includes("after "))
    .map(({ seq }) => seq);
  expect(Math.min(...fresh)).toBeGreaterThan(old.latestSeq + 999_999);
  expect(crm.counts()).toMatchObject({ duplicated: 0, outOfOrder: 0, badSignatures: 0, requests: told + 3 });
});
