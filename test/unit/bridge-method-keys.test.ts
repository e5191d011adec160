/** The key that the bridge makes at its first start: whole or not at all, whatever happened to the start before. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { ensureMethodKey } from "../../bridge/http/method-keys.ts";

/** As on a share or a card whose file system has no hard links. */
vi.mock("node:fs/promises", async (actual) => ({
  ...(await actual<object>()),
  link: () => Promise.reject(Object.assign(new Error("EPERM: operation not permitted"), { code: "EPERM" })),
}));

const folder = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "bridge-method-key-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
};
/** What a first start leaves that found no room, or was killed: the name without the key, or a half of it beside. */
const LEFT: [string, (file: string) => void][] = [
  ["nothing", () => undefined],
  ["an empty file", (file) => writeFileSync(file, "")],
  ["half of a key beside", (file) => writeFileSync(`${file}.next`, "admin:abc", { mode: 0o600 })],
];

test.each(LEFT)(
  "a start that finds %s makes a key, for its owner alone, and the next one keeps it",
  async (_what, leave) => {
    const dir = folder();
    const file = join(dir, "method-key");
    leave(file);
    const first = await ensureMethodKey(file);
    expect(first).toMatchObject({ isNew: true, key: { key: "admin", role: "admin" } });
    expect(readFileSync(file, "utf8")).toBe(`admin:${first.key.secret}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(["method-key"]);
    expect(await ensureMethodKey(file)).toEqual({ ...first, isNew: false });
  },
);

test("what is no key is left for a person to look at", async () => {
  const file = join(folder(), "method-key");
  writeFileSync(file, "admin");
  await expect(ensureMethodKey(file)).rejects.toThrow(/holds no key/);
  expect(readFileSync(file, "utf8")).toBe("admin");
});
