/** The vault: what is sealed opens only with its key and at its place, and a wrong master key changes nothing. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { VaultStore } from "../../hub/core/store.ts";
import { readMasterKeys, parseMasterKey } from "../../hub/sessions/master-key.ts";
import { createVault } from "../../hub/sessions/vault.ts";

const text = (written: string) => new TextEncoder().encode(written);

function memoryKeys() {
  const rows = new Map<string, Uint8Array>();
  let writes = 0;
  let failsIn = 0;
  const keys: VaultStore = {
    scopes: () => Promise.resolve([...rows.keys()]),
    dataKey: (scope) => Promise.resolve(rows.get(scope) ?? null),
    saveDataKey: (scope, wrapped) => {
      writes++;
      if (failsIn-- === 1) {
        return Promise.reject(new Error("disk full"));
      }
      rows.set(scope, wrapped);
      return Promise.resolve();
    },
  };
  return { keys, rows, writes: () => writes, failWrite: (n: number) => void (failsIn = n) };
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "hub-key-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

describe("vault", () => {
  test("what was sealed opens after a restart with the same master key", async () => {
    const { keys } = memoryKeys();
    const masterKey = randomBytes(32);
    const before = await (await createVault({ masterKey, keys })).cipher("session:s1");
    const sealed = before.seal("creds|s1", text("noise key"));
    const after = await (await createVault({ masterKey, keys })).cipher("session:s1");
    expect(Buffer.from(after.open("creds|s1", sealed)).toString()).toBe("noise key");
    expect(Buffer.from(after.open("creds|s1", after.seal("creds|s1", text("")))).toString()).toBe("");
  });

  test("sealed bytes are version, key id, nonce, tag and data, and never the same twice", async () => {
    const { keys } = memoryKeys();
    const cipher = await (await createVault({ masterKey: randomBytes(32), keys })).cipher("hub");
    const first = Buffer.from(cipher.seal("p", text("secret")));
    const second = Buffer.from(cipher.seal("p", text("secret")));
    expect(first).toHaveLength(1 + 4 + 12 + 16 + 6);
    expect(first[0]).toBe(1);
    expect(first.subarray(1, 5)).toEqual(second.subarray(1, 5));
    expect(first.subarray(5)).not.toEqual(second.subarray(5));
    expect(first.includes("secret")).toBe(false);
  });

  test("rows that changed places do not open", async () => {
    const { keys } = memoryKeys();
    const vault = await createVault({ masterKey: randomBytes(32), keys });
    const s1 = await vault.cipher("session:s1");
    const sealed = s1.seal("keys|s1|session|ana", text("ratchet"));
    expect(() => s1.open("keys|s1|session|bob", sealed)).toThrow();
    const s2 = await vault.cipher("session:s2");
    expect(() => s2.open("keys|s1|session|ana", sealed)).toThrow(/another key/);
  });

  test("any changed byte, and any cut, is noticed", async () => {
    const { keys } = memoryKeys();
    const cipher = await (await createVault({ masterKey: randomBytes(32), keys })).cipher("hub");
    const sealed = cipher.seal("p", text("ratchet"));
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => cipher.open("p", changed), `byte ${at}`).toThrow();
      expect(() => cipher.open("p", sealed.subarray(0, at)), `cut at ${at}`).toThrow();
    }
  });

  test("the wrong master key refuses the start and writes nothing", async () => {
    const { keys, rows, writes } = memoryKeys();
    await (await createVault({ masterKey: randomBytes(32), keys })).cipher("session:s1");
    const before = { writes: writes(), rows: new Map(rows) };
    await expect(createVault({ masterKey: randomBytes(32), keys })).rejects.toThrow(/another master key/);
    expect({ writes: writes(), rows }).toEqual(before);
  });

  test("data keys that changed scopes do not open, and are not replaced", async () => {
    const { keys, rows } = memoryKeys();
    const masterKey = randomBytes(32);
    const vault = await createVault({ masterKey, keys });
    await vault.cipher("session:s1");
    const foreign = rows.get("session:s1") ?? new Uint8Array();
    rows.set("session:s2", foreign);
    await expect((await createVault({ masterKey, keys })).cipher("session:s2")).rejects.toThrow(/session:s2/);
    expect(rows.get("session:s2")).toBe(foreign);
  });

  test("two callers at once get one data key", async () => {
    const { keys, writes } = memoryKeys();
    const vault = await createVault({ masterKey: randomBytes(32), keys });
    const before = writes();
    const [one, two] = await Promise.all([vault.cipher("session:s1"), vault.cipher("session:s1")]);
    expect(one).toBe(two);
    expect(writes()).toBe(before + 1);
  });

  test("a data key that could not be stored is not used, and the next call tries again", async () => {
    const { keys, rows, failWrite } = memoryKeys();
    const vault = await createVault({ masterKey: randomBytes(32), keys });
    failWrite(1);
    await expect(vault.cipher("session:s1")).rejects.toThrow("disk full");
    await vault.cipher("session:s1");
    expect(rows.has("session:s1")).toBe(true);
  });
});

describe("data keys", () => {
  const YEAR_MS = 365 * 24 * 3_600_000;
  const at = (ms: number) => ({ now: new Date(Date.UTC(2026, 0, 1) + ms), maxAgeMs: YEAR_MS });
  const keyIdOf = (sealed: Uint8Array): string => Buffer.from(sealed.subarray(1, 5)).toString("hex");

  test("that have served a year seal nothing new, and open what they sealed, after a restart as well", async () => {
    const { keys } = memoryKeys();
    const masterKey = randomBytes(32);
    const vault = await createVault({ masterKey, keys });
    const s1 = await vault.cipher("session:s1");
    const sealed = [s1.seal("p", text("0"))];
    expect(await vault.renewOld(at(0))).toBe(0);
    expect(await vault.renewOld(at(YEAR_MS - 1))).toBe(0);
    await vault.cipher("session:young");
    for (let year = 1; year <= 3; year++) {
      // The hub's own, and that of s1; later the other session's, too.
      expect(await vault.renewOld(at(year * YEAR_MS))).toBe(year === 1 ? 2 : 3);
      expect(await vault.renewOld(at(year * YEAR_MS + 1))).toBe(0);
      sealed.push(s1.seal("p", text(String(year))));
    }
    expect(new Set(sealed.map(keyIdOf)).size).toBe(4);
    const nextMaster = randomBytes(32);
    expect(await vault.rotate(nextMaster)).toMatchObject({ rewrapped: 3 + 3 + 3 + 2, unreadable: [] });
    const again = await (await createVault({ masterKey: nextMaster, keys })).cipher("session:s1");
    for (const cipher of [s1, again])
      expect(sealed.map((each) => Buffer.from(cipher.open("p", each)).toString())).toEqual([
        "0",
        "1",
        "2",
        "3",
      ]);
    expect(keyIdOf(again.seal("p", text("new")))).toBe(keyIdOf(sealed[3] ?? new Uint8Array()));
    expect(() => again.open("q", sealed[0] ?? new Uint8Array())).toThrow();
  });

  test.each([1, 2])(
    "are both there when write %d of the change fails, and the next turn does it",
    async (write) => {
      const { keys, failWrite } = memoryKeys();
      const masterKey = randomBytes(32);
      const vault = await createVault({ masterKey, keys });
      const hub = await vault.cipher("hub");
      await vault.renewOld(at(0));
      const before = hub.seal("p", text("before"));
      failWrite(write);
      await expect(vault.renewOld(at(YEAR_MS))).rejects.toThrow("disk full");
      const between = hub.seal("p", text("between"));
      const restarted = await createVault({ masterKey, keys });
      const cipher = await restarted.cipher("hub");
      expect(await restarted.renewOld(at(YEAR_MS))).toBe(1);
      const after = cipher.seal("p", text("after"));
      expect(keyIdOf(after)).not.toBe(keyIdOf(before));
      expect([before, between, after].map((each) => Buffer.from(cipher.open("p", each)).toString())).toEqual([
        "before",
        "between",
        "after",
      ]);
    },
  );

  test("that are damaged do not keep the others from being renewed, nor from being read", async () => {
    const { keys, rows } = memoryKeys();
    const masterKey = randomBytes(32);
    const vault = await createVault({ masterKey, keys });
    await vault.cipher("session:s1");
    await vault.cipher("session:s2");
    await vault.renewOld(at(0));
    const old = (await vault.cipher("session:s1")).seal("p", text("old"));
    await vault.renewOld(at(YEAR_MS));
    for (const name of rows.keys())
      if (name.startsWith("session:s1#") || name === "session:s2") rows.set(name, new Uint8Array(73));
    const restarted = await createVault({ masterKey, keys });
    expect(await restarted.renewOld(at(2 * YEAR_MS))).toBe(2);
    const s1 = await restarted.cipher("session:s1");
    expect(Buffer.from(s1.open("p", s1.seal("p", text("new")))).toString()).toBe("new");
    expect(() => s1.open("p", old)).toThrow(/another key/);
    await expect(restarted.cipher("session:s2")).rejects.toThrow(/session:s2/);
  });

  test("are renewed and sealed with a new master key at once without losing one", async () => {
    const { keys } = memoryKeys();
    // What was read is old when it arrives.
    const slow: VaultStore = {
      ...keys,
      dataKey: async (scope) => {
        const found = await keys.dataKey(scope);
        await new Promise((resolve) => setImmediate(resolve));
        return found;
      },
    };
    const vault = await createVault({ masterKey: randomBytes(32), keys: slow });
    const scopes = ["hub", ...Array.from({ length: 20 }, (_, n) => `session:s${n}`)];
    const ciphers = await Promise.all(scopes.map((scope) => vault.cipher(scope)));
    await vault.renewOld(at(0));
    const nextMaster = randomBytes(32);
    await Promise.all([
      vault.rotate(nextMaster),
      vault.renewOld(at(YEAR_MS)),
      vault.renewOld(at(2 * YEAR_MS)),
    ]);
    const restarted = await createVault({ masterKey: nextMaster, keys });
    for (const [n, scope] of scopes.entries()) {
      const sealed = ciphers[n]?.seal("p", text(scope)) ?? new Uint8Array();
      expect(Buffer.from((await restarted.cipher(scope)).open("p", sealed)).toString()).toBe(scope);
    }
  });
});

describe("master key", () => {
  test("is read from hex and from base64, and nothing else", () => {
    const key = randomBytes(32);
    for (const written of [
      key.toString("hex"),
      key.toString("hex").toUpperCase(),
      ` ${key.toString("base64")}\n`,
      key.toString("base64url"),
    ])
      expect(Buffer.from(parseMasterKey(written))).toEqual(key);
    for (const wrong of [
      "",
      "secret",
      key.toString("hex").slice(1),
      randomBytes(31).toString("base64"),
      "é".repeat(64),
    ])
      expect(() => parseMasterKey(wrong)).toThrow(/32 bytes/);
  });

  test("is made once as a file that only its owner can read", async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, "data", "master.key");
    const { masterKey: made } = await readMasterKeys({ configured: null, file, mayCreate: true });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700);
    expect(await readdir(path.dirname(file))).toEqual(["master.key"]);
    expect(await readMasterKeys({ configured: null, file, mayCreate: true })).toEqual({
      masterKey: made,
      previous: [],
    });
    expect(Buffer.from(parseMasterKey(await readFile(file, "utf8")))).toEqual(made);
  });

  test("of the configuration wins, and leaves no file behind", async () => {
    const folder = await temporaryFolder();
    const configured = randomBytes(32);
    const file = path.join(folder, "master.key");
    const { masterKey } = await readMasterKeys({
      configured: configured.toString("base64"),
      file,
      mayCreate: true,
    });
    expect(Buffer.from(masterKey)).toEqual(configured);
    expect(await readdir(folder)).toEqual([]);
  });

  test("is not replaced when its file went missing beside sealed data, or is damaged", async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, "master.key");
    await expect(readMasterKeys({ configured: null, file, mayCreate: false })).rejects.toThrow(/is missing/);
    expect(await readdir(folder)).toEqual([]);
    await writeFile(file, "");
    await expect(readMasterKeys({ configured: null, file, mayCreate: true })).rejects.toThrow(
      `What is in ${file} is no master key: it must be 32 bytes`,
    );
  });
});
