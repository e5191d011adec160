/** The file of the bridge's memory: the suite, and what only a file can do wrong. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../bridge/clock.ts";
import { emptyBridgeData, type BridgeState } from "../../bridge/state/bridge-state.ts";
import { openLowdbState } from "../../bridge/state/lowdb-state.ts";
import { logBook } from "../support/log-book.ts";
import { describeBridgeState } from "./bridge-state.ts";

const root = mkdtempSync(join(tmpdir(), "bridge-state-"));
afterAll(() => {
  rmSync(root, { recursive: true });
});
let folders = 0;
const newDir = (): string => join(root, String(++folders));
const open = (dir: string, log = logBook()): Promise<BridgeState> =>
  openLowdbState({ dir, clock: systemClock, log });

describeBridgeState("lowdb", async () => {
  const dir = newDir();
  return { state: await open(dir), reopen: () => open(dir) };
});

const setMark = (state: BridgeState, mark: number): Promise<void> =>
  state.update((data) => {
    data.mark = mark;
  });

test("an update that was answered is in the file, which is its owner's alone", async () => {
  const dir = newDir();
  const state = await open(dir);
  await setMark(state, 5);
  const file = join(dir, "bridge.json");
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ mark: 5 });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  expect(readdirSync(dir).sort()).toEqual(["bridge.json", "bridge.lock"]);
});

test.each([
  ["cut in the middle", '{"mark":5,"conn'],
  ["empty", ""],
  ["of another shape", '{"mark":-1}'],
  ["a list", "[]"],
])("a file that is %s is set aside, said in the log, and the bridge begins anew", async (_what, content) => {
  const dir = newDir();
  await setMark(await open(dir), 5);
  writeFileSync(join(dir, "bridge.json"), content);
  const log = logBook();
  const state = await open(dir, log);
  expect(state.read()).toEqual(emptyBridgeData());
  expect(log.lines("state.unreadable")).toHaveLength(1);
  const aside = readdirSync(dir).filter((name) => name.includes(".unreadable-"));
  expect(aside).toHaveLength(1);
  expect(readFileSync(join(dir, aside[0] ?? ""), "utf8")).toBe(content);
  await setMark(state, 6);
  expect((await open(dir)).read().mark).toBe(6);
});

test("a file of an older bridge, without what was added since, is read", async () => {
  const dir = newDir();
  await setMark(await open(dir), 1);
  const { mark, connections } = emptyBridgeData();
  writeFileSync(join(dir, "bridge.json"), JSON.stringify({ mark: mark + 3, connections }));
  expect((await open(dir)).read().mark).toBe(3);
});

test("a write that fails is told, and the next one holds what it would have written", async () => {
  const dir = newDir();
  const state = await open(dir);
  await setMark(state, 1);
  rmSync(dir, { recursive: true });
  await expect(setMark(state, 2)).rejects.toThrow(/ENOENT/);
  expect(state.read().mark).toBe(2);
  await open(dir); // makes the folder again
  await state.update((data) => {
    data.syncedUntil["s1"] = 1;
  });
  expect((await open(dir)).read()).toMatchObject({ mark: 2, syncedUntil: { s1: 1 } });
});
