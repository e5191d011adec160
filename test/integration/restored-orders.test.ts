/** A backup is made in the middle of work: what was under way then is not done, told or entered by the hub that is restored from it. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { doneBy } from "../../hub/core/audit.ts";
import { systemClock } from "../../hub/core/clock.ts";
import { backupNow, restoreBackup } from "../../hub/safekeeping/data-folder.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { logBook } from "../support/log-book.ts";

test("a restored hub sends no letter, goes on with no replay and enters no order as broken off", async () => {
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
  const open = () => openStore({ dataDir, publicUrl: "http://hub.example", clock: systemClock, log });

  const store = await open();
  await createVault({ masterKey: Buffer.from(masterKey, "hex"), keys: store.vault });
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
