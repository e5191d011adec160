/** C13 of the fault table: a login is put back from a copy, killed at every point at which it could be. It is there, or it is not. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../hub/core/clock.ts";
import type { Store } from "../../hub/core/store.ts";
import { backupNow, importLogins, withStore } from "../../hub/safekeeping/data-folder.ts";
import { putLoginBack } from "../../hub/safekeeping/login-copies.ts";
import { BufferJSON, initAuthCreds, proto } from "../../hub/whatsapp/baileys.ts";
import { atEveryStep } from "../support/every-step.ts";
import { logBook } from "../support/log-book.ts";

const log = logBook();
const KEYS = 5;

const folderAt = (dataDir: string) => ({
  dataDir,
  masterKey: "ab".repeat(32),
  masterKeyPrevious: null,
  masterKeyFile: null,
  jidForm: "c.us" as const,
});

async function aFolder(what: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `hub-c13-${what}-`));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The login of another program, with a few keys. */
async function aLogin(): Promise<string> {
  const from = await aFolder("login");
  const creds = initAuthCreds();
  creds.account = proto.ADVSignedDeviceIdentity.fromObject({ details: Buffer.of(1) });
  creds.me = { id: "34600111222:3@s.whatsapp.net" };
  await writeFile(join(from, "creds.json"), JSON.stringify(creds, BufferJSON.replacer));
  for (let n = 0; n < KEYS; n++)
    await writeFile(join(from, `session-3460099${n}.0.json`), JSON.stringify({ version: "v1", n }));
  return from;
}

async function stateOf(store: Store): Promise<string> {
  const rows = await store.auth.loginRows("s1");
  const { fingerprint, standing } = await store.auth.login("s1");
  const reason = (await store.sessions.get("s1"))?.reason?.code ?? "no reason";
  const quarantined = (await store.auth.quarantined("s1")).length;
  const login = rows === null ? "none" : `${standing} with ${rows.keys.length} keys`;
  return `${login}, ${fingerprint === null ? "unknown" : "known"}, ${reason}, ${quarantined} in quarantine`;
}

test.each([
  {
    where: "in the place of none",
    isAway: true,
    before: "none, unknown, no reason, 1 in quarantine",
    after: `stale with ${KEYS} keys, known, rolled_back, 1 in quarantine`,
  },
  {
    where: "in the place of another",
    isAway: false,
    before: `current with ${KEYS} keys, known, no reason, 0 in quarantine`,
    after: `current with ${KEYS} keys, known, login_put_back, 1 in quarantine`,
  },
])(
  "C13: a login is put back $where",
  async ({ isAway, before, after }) => {
    const dataDir = await aFolder("data");
    await importLogins(folderAt(dataDir), { from: await aLogin(), sessionId: "s1" }, log);
    const { name: backup } = await backupNow(folderAt(dataDir), log);
    if (isAway)
      await withStore(folderAt(dataDir), log, async ({ store }) => {
        const now = systemClock.now();
        await store.auth.quarantine("s1", "test", now, new Date(now.getTime() + 60_000));
      });
    // As by somebody who takes it whatever became of it: what was put away without a snapshot may have been used.
    const order = { sessionId: "s1", backup, acceptsOlder: true };
    const copies = await atEveryStep(dataDir, () => putLoginBack(folderAt(dataDir), order, log));
    const states: string[] = [];
    for (const copy of copies) {
      const state = await withStore(folderAt(copy), log, ({ store }) => stateOf(store));
      if (states.at(-1) === state) continue;
      states.push(state);
      // Whatever it was, the order can be given again.
      await putLoginBack(folderAt(copy), order, log);
      const again = await withStore(folderAt(copy), log, ({ store }) => store.auth.login("s1"));
      expect(again).toMatchObject({ isThere: true });
    }
    console.log(`C13: ${copies.length} kills`);
    expect(states).toEqual([before, after]);
  },
  180_000,
);
