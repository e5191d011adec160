/** W8 and W9, one session alone: its login is put back from a copy, on a real connection, while all else stays as it is. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { backupNow } from "../../hub/safekeeping/data-folder.ts";
import { listLoginCopies, OlderCopy, putLoginBack } from "../../hub/safekeeping/login-copies.ts";
import { logBook } from "../support/log-book.ts";
import { folderOf, openSessionsHub, textsOf } from "../support/sessions-hub.ts";
import { until } from "../support/until.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const bed = useEmulator();
const log = logBook();

async function aLinkedHub() {
  const emulator = bed.emulator();
  const { number } = emulator.createAccount({ preset: "small", size: { messages: 0 } });
  const hub = await openSessionsHub(emulator);
  await hub.linked("s1", number);
  const from = emulator.contacts(number)[0]?.number ?? "";
  const device = () => emulator.account(number).devices.map((each) => each.device);
  const talk = async (round: string): Promise<void> => {
    emulator.receive({ account: number, from, kind: "text", text: `${round}: to you` });
    await until(`"${round}" to arrive`, async () => (await textsOf(hub)).includes(`${round}: to you`));
    const link = hub.sessions.link("s1");
    const messageId = link.newMessageId();
    const text = `${round}: to her`;
    const chatId = `${from}@s.whatsapp.net`;
    await link.send({ chatId, messageId, content: { kind: "text", text, mentions: [] }, quoted: null });
    await until(`"${round}" to be read`, () => emulator.sent({ id: messageId })[0]?.text === text);
  };
  const putBack = (backup: string, acceptsOlder = false) =>
    putLoginBack(folderOf(hub), { sessionId: "s1", backup, acceptsOlder }, log);
  /** The newest of its copies. */
  const newest = async (kind: "snapshot" | "backup"): Promise<string> => {
    const copies = await listLoginCopies(folderOf(hub), "s1");
    return copies.find((copy) => copy.kind === kind)?.name ?? "";
  };
  return { emulator, number, hub, device, talk, putBack, newest };
}

/** The login of one session, as a disk that goes bad leaves it. */
function damage(folder: string): void {
  const db = new Database(join(folder, "hub.db"));
  const { changes } = db
    .prepare(
      "UPDATE auth_creds SET v = substr(v, 1, 20) WHERE session = (SELECT id FROM session WHERE session_id = 's1')",
    )
    .run();
  db.close();
  expect(changes).toBe(1);
}

describe("W9: a login that was damaged on disk", () => {
  test("comes back from the last backup without a code, as the device it was; the others never notice", async () => {
    const { emulator, hub, device, talk, putBack } = await aLinkedHub();
    const other = emulator.createAccount({ preset: "small", size: { messages: 0 } });
    await hub.linked("s2", other.number);
    await talk("before");
    const [mine] = device();
    let backup = "";
    await hub.startAgain(async (folder) => {
      ({ name: backup } = await backupNow(folderOf(hub), log));
      damage(folder);
    });
    await hub.reaches("s1", "logged_out");
    expect(await hub.sessions.get("s1")).toMatchObject({ reason: { code: "login_damaged" } });
    await hub.reaches("s2", "connected");

    await hub.startAgain(async () => {
      expect(await putBack(backup)).toMatchObject({ isStale: false, copy: { name: backup, kind: "backup" } });
    });
    expect(await hub.sessions.get("s1")).toMatchObject({
      state: "stopped",
      reason: { code: "login_put_back" },
    });
    expect((await hub.sessions.connect("s1", { waitMs: 8000 })).state).toBe("connected");
    expect(device()).toEqual([mine]);
    await talk("after");
    await hub.reaches("s2", "connected");
  }, 60_000);

  test("does not come back from a copy that was made when it was damaged already: an older one is asked for", async () => {
    const { hub, putBack, newest } = await aLinkedHub();
    await hub.startAgain(damage);
    await hub.reaches("s1", "logged_out");
    await hub.startAgain(async () => {
      await expect(putBack(await newest("snapshot"))).rejects.toThrow(/was damaged.*Take an older copy/);
    });
    expect((await hub.sessions.get("s1")).state).toBe("logged_out");
  }, 60_000);
});

describe("W8: a login from a copy", () => {
  test("that was made when it was put away is as good as new: it connects without a code", async () => {
    const { hub, device, talk, putBack, newest } = await aLinkedHub();
    await talk("before");
    const [mine] = device();
    await hub.sessions.forceCleanup("s1", { mode: "quarantine" });
    expect((await hub.sessions.qr("s1", 8000)).qr).not.toBe("");
    await hub.startAgain(async () => {
      expect(await putBack(await newest("snapshot"))).toMatchObject({ isStale: false, unreadable: {} });
    });
    expect((await hub.sessions.connect("s1", { waitMs: 8000 })).state).toBe("connected");
    expect(device()).toEqual([mine]);
    await talk("after");
  }, 60_000);

  test("that was used since is refused unawares; taken all the same it waits, and goes on with new keys", async () => {
    const { emulator, hub, device, talk, putBack } = await aLinkedHub();
    await talk("before");
    const { name } = await backupNow(folderOf(hub), log);
    await talk("since");
    await hub.startAgain(async () => {
      await expect(putBack(name)).rejects.toBeInstanceOf(OlderCopy);
    });
    await hub.reaches("s1", "connected");
    await hub.startAgain(async () => {
      expect(await putBack(name, true)).toMatchObject({ isStale: true });
    });
    expect(await hub.sessions.get("s1")).toMatchObject({
      state: "rolled_back",
      reason: { code: "rolled_back" },
    });

    const { sentUndecryptable } = emulator.counters().counts;
    await hub.sessions.connect("s1", { waitMs: 8000 });
    await hub.reaches("s1", "connected");
    await talk("again");
    await talk("and again");
    expect(emulator.counters().counts.sentUndecryptable).toBe(sentUndecryptable);
    expect(device()).toHaveLength(1);
    expect(await textsOf(hub)).toContain("since: to you");

    // The copy of before is older still, also after the login went away once more.
    await hub.sessions.forceCleanup("s1", { mode: "quarantine" });
    await hub.startAgain(async () => {
      await expect(putBack(name)).rejects.toBeInstanceOf(OlderCopy);
    });
  }, 60_000);

  test("is refused where it would help nobody: ended for good, another login in its place, changed, or in use", async () => {
    const { emulator, number, hub, putBack, newest } = await aLinkedHub();
    await expect(putBack("hub-none.backup")).rejects.toThrow(/Another Inbox Hub is running/);
    const { name } = await backupNow(folderOf(hub), log);
    await hub.sessions.forceCleanup("s1", { mode: "quarantine" });
    const { qr } = await hub.sessions.qr("s1", 8000);
    await emulator.scanQr(qr, number);
    await hub.reaches("s1", "connected");
    await hub.startAgain(async (folder) => {
      await expect(putBack("hub-none.backup")).rejects.toThrow(/There is no copy hub-none\.backup/);
      await expect(putBack(name)).rejects.toThrow(/was linked anew since/);
      const snapshot = await newest("snapshot");
      const file = join(folder, "vault", snapshot);
      const bytes = await readFile(file);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      await writeFile(file, bytes);
      await expect(putBack(snapshot)).rejects.toThrow(/is damaged, or was not made by this hub/);
    });
    await hub.reaches("s1", "connected");
    const later = (await backupNow(folderOf(hub), log)).name;
    await hub.sessions.logout("s1");
    await hub.startAgain(async () => {
      await expect(putBack(later, true)).rejects.toThrow(/was ended for good on .*logged out by order/s);
    });
  }, 60_000);
});
