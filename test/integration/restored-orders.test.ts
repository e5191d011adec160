/** A backup is made in the middle of work: what was under way then is not done, told or entered by the hub that is restored from it. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { doneBy } from "../../hub/core/audit.ts";
import { systemClock, type Clock } from "../../hub/core/clock.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import { createIngest } from "../../hub/inbox/ingest.ts";
import { watchOverdue } from "../../hub/inbox/overdue.ts";
import { backupNow, restoreBackup } from "../../hub/safekeeping/data-folder.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { aMessage, aNewSession } from "../support/builders.ts";
import { fixedClock, hours } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";

async function aFolder(clock: Clock) {
  const log = logBook();
  const dataDir = await mkdtemp(join(tmpdir(), "hub-orders-"));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const masterKey = randomBytes(32).toString("hex");
  const folder = {
    dataDir,
    masterKey,
    masterKeyPrevious: null,
    masterKeyFile: null,
    jidForm: "c.us" as const,
  };
  const open = () => openStore({ dataDir, publicUrl: "http://hub.example", clock, log });
  return { folder, open, log };
}

test("a restored hub sends no letter, goes on with no replay and enters no order as broken off", async () => {
  const { folder, open, log } = await aFolder(systemClock);

  const store = await open();
  await createVault({ masterKey: Buffer.from(folder.masterKey, "hex"), keys: store.vault });
  await store.letters.hold({ subject: "down", text: "for an hour" }, systemClock.now());
  await store.outbox.openReplay({ id: "r1", filter: {}, matched: 0, startedAt: systemClock.now() });
  const begun = await store.audit.begin(
    doneBy("hub", "backup.made", systemClock.now(), { details: { requestId: "req_1" } }),
  );
  const backup = await backupNow(folder, log);
  await store.audit.end(begun, null);
  await store.close();

  await restoreBackup(folder, { backup: backup.name }, log);
  const restored = await open();
  const { items } = await restored.audit.list({ limit: 50, page: 1 });
  expect(items.filter(({ details }) => details["requestId"] === "req_1")).toEqual([]);
  expect(await restored.letters.held()).toEqual([]);
  expect(await restored.outbox.openReplays()).toEqual([]);
  await restored.close();
});

test("what waited to be sent when the backup was made is neither sent again nor called failed: WhatsApp says what became of it", async () => {
  const clock = fixedClock();
  const { folder, open, log } = await aFolder(clock);
  const store = await open();
  await createVault({ masterKey: Buffer.from(folder.masterKey, "hex"), keys: store.vault });
  await store.sessions.create(aNewSession());
  const message = aMessage({ id: "WAITED", fromMe: true });
  const expiresAt = new Date(clock.now().getTime() + hours(1));
  await store.sends.accept({ message, order: "{}", expiresAt, now: clock.now() });
  const backup = await backupNow(folder, log);
  await store.sends.relayed("s1", "WAITED", { raw: null, media: null }, clock.now());
  await store.close();
  clock.advance(hours(5));

  await restoreBackup(folder, { backup: backup.name }, log);
  const restored = await open();
  onTestFinished(() => restored.close());
  expect(await restored.sends.waiting("s1")).toEqual([]);
  const overdue = watchOverdue({
    ...{ sends: restored.sends, sessions: restored.sessions, clock, log },
    relay: { isHeld: () => false },
    gate: { isOff: () => Promise.resolve(false) },
    ingest: createIngest({ inbox: restored.inbox, clock, nudge: createNudge() }),
  });
  await overdue.look();
  await overdue.stop();
  expect(await restored.inbox.message("s1", "WAITED")).toMatchObject({ status: "pending" });
});
