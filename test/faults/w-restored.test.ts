/** W8 and W24 of the fault table that need more than a store: a login from an older copy, on a real connection. */
import { describe, expect, test } from "vitest";
import { backupNow, restoreBackup } from "../../hub/safekeeping/data-folder.ts";
import { folderOf, openSessionsHub, textsOf } from "../support/sessions-hub.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const bed = useEmulator();
const log = logBook();

describe("W8: a session restored from an old backup", () => {
  test("is set aside, goes on with new keys when told to, and talks both ways again", async () => {
    const emulator = bed.emulator();
    const { number } = emulator.createAccount({ preset: "small" });
    const hub = await openSessionsHub(emulator);
    await hub.linked("s1", number);
    const [ana] = emulator.contacts(number);
    const group = emulator.account(number).groups[0]?.id ?? "";
    const from = ana?.number ?? "";

    const hear = async (text: string, where: { group?: string } = {}): Promise<void> => {
      emulator.receive({ account: number, from, kind: "text", text, ...where });
      await until(`"${text}" to arrive`, async () => (await textsOf(hub)).includes(text));
    };
    const say = async (text: string, chatId: string): Promise<void> => {
      const link = hub.sessions.link("s1");
      const messageId = link.newMessageId();
      await link.send({ chatId, messageId, content: { kind: "text", text, mentions: [] }, quoted: null });
      await until(`"${text}" to be read`, () => emulator.sent({ id: messageId })[0]?.text === text);
    };
    const talk = async (round: string): Promise<void> => {
      await hear(`${round}: to you`);
      await say(`${round}: to her`, `${from}@s.whatsapp.net`);
      await hear(`${round}: to the group`, { group });
      await say(`${round}: from you to the group`, `${group}@g.us`);
    };

    await talk("before");
    const backup = await backupNow(folderOf(hub), log);
    await talk("after");
    await talk("later");
    await hub.startAgain(async () => {
      await restoreBackup(folderOf(hub), { backup: backup.name }, log);
    });
    expect(await hub.sessions.get("s1")).toMatchObject({
      state: "rolled_back",
      reason: { code: "rolled_back" },
    });
    expect(emulator.account(number).devices.map(({ connected }) => connected)).toEqual([false]);

    const since = emulator.lastEvent();
    await hub.sessions.connect("s1", { waitMs: 8000 });
    await hub.reaches("s1", "connected");
    // Keys that were used already would be found out by those who read them.
    const { sentUndecryptable } = emulator.counters().counts;
    await say("first word to her", `${from}@s.whatsapp.net`);
    await say("first word to the group", `${group}@g.us`);
    expect(emulator.counters().counts.sentUndecryptable).toBe(sentUndecryptable);
    await talk("again");
    await talk("and again");
    expect(emulator.account(number).devices).toHaveLength(1);
    const opened = emulator.events(since, { types: ["connection.opened"] });
    expect(opened.length).toBeLessThanOrEqual(2);

    await hub.startAgain();
    await hub.reaches("s1", "connected");
    await talk("after a restart");
  }, 60_000);
});
