/** A bridge killed at random moments while it writes: what was answered is in the CRM, whole and once. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { openSqliteAdapter } from "../../bridge/adapters/sqlite/sqlite-adapter.ts";
import { fixedClock } from "../support/fixed-clock.ts";

const KILLS = 4;
const TSX = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const urlOf = (path: string): string => new URL(path, import.meta.url).href;
const root = mkdtempSync(join(tmpdir(), "bridge-crm-kills-"));
const file = join(root, "crm.db");
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** Writes messages, eight at once, and prints the id of each that was answered. */
const WRITER = `
  import { openSqliteAdapter } from ${JSON.stringify(urlOf("../../bridge/adapters/sqlite/sqlite-adapter.ts"))};
  import { aMessage } from ${JSON.stringify(urlOf("./crm/records.ts"))};
  const [file, round] = process.argv.slice(1);
  const adapter = await openSqliteAdapter({ file, clock: { now: () => new Date() } });
  let n = 0;
  const write = async () => {
    for (;;) {
      const messageId = round + "-" + ++n;
      const items = [aMessage({ messageId, chatId: "3460011122" + (n % 10) + "@c.us", content: messageId })];
      await adapter.upsertMessages({ sessionId: "s1", position: n, items });
      console.log(messageId);
    }
  };
  await Promise.all(Array.from({ length: 8 }, write));
`;

async function killedAfter(round: number, ms: number): Promise<string[]> {
  const child = spawn(
    process.execPath,
    ["--import", TSX, "--input-type=module", "-e", WRITER, file, String(round)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const answered: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => answered.push(line));
  await once(lines, "line");
  await wait(ms);
  child.kill("SIGKILL");
  await Promise.all([once(child, "exit"), once(lines, "close")]);
  return answered;
}

test("nothing that was answered is lost, nothing is there twice or in half", async () => {
  const answered: string[] = [];
  for (let round = 1; round <= KILLS; round++) {
    const ms = Math.floor(Math.random() * 200);
    console.log(`round ${round}: killed after ${ms} ms`);
    answered.push(...(await killedAfter(round, ms)));
  }
  const adapter = await openSqliteAdapter({ file, clock: fixedClock() });
  const { documents } = adapter;
  const rows = await documents?.list({
    doctype: "WhatsApp Message",
    fields: ["message_id", "content", "conversation", "contact"],
    filters: [],
    orderBy: [],
    start: 0,
    limit: 1_000_000,
  });
  const held = (rows ?? []).map((row) => String(row["message_id"]));
  expect(answered.length).toBeGreaterThan(KILLS);
  expect(new Set(held).size).toBe(held.length);
  expect(answered.filter((id) => !held.includes(id))).toEqual([]);
  for (const row of rows ?? [])
    expect(row).toEqual({
      message_id: row["content"],
      content: row["content"],
      conversation: expect.stringMatching(/^WACONV-\d{4}$/) as unknown,
      contact: expect.stringMatching(/^WACONT-\d{5}$/) as unknown,
    });
  expect(await adapter.totals("s1")).toMatchObject({ messages: held.length });
  await adapter.close();
});
