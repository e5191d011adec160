/** Answers kept under an Idempotency-Key: some show a secret, which the database must not tell. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { openHttpRig } from "../support/http-rig.ts";

const keyed = (key: string) => ({ headers: { "Idempotency-Key": key } });

describe("an answer that is kept", () => {
  async function databaseFile(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "hub-answers-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    return join(folder, "hub.db");
  }
  const aKey = { name: "crm", scopes: ["read"], sessions: "*" };
  const hook = "http://127.0.0.1:9/h";

  test("shows its secret to a repeat, and to nobody who reads the database or a backup of it", async () => {
    const file = await databaseFile();
    const rig = await openHttpRig({ file });
    await rig.session("s1", { connected: false });
    const key = await rig.post("/api/keys", aKey);
    const endpoint = await rig.post("/api/endpoints", { url: hook });
    const shown: string[] = [];
    for (const [method, path, body, member] of [
      ["POST", "/api/keys", aKey, "key"],
      ["POST", `/api/keys/${String(key.data["id"])}/rotate`, {}, "key"],
      ["POST", "/api/endpoints", { url: `${hook}2` }, "secret"],
      ["POST", `/api/endpoints/${String(endpoint.data["id"])}/rotate-secret`, {}, "secret"],
      ["PUT", "/api/sessions/s1/webhook", { webhookUrl: hook }, "webhookSecret"],
    ] as const) {
      const first = await rig.call(method, path, { body, ...keyed("once") });
      const again = await rig.call(method, path, { body, ...keyed("once") });
      expect([path, again.headers.get("idempotent-replayed"), again.text]).toEqual([
        path,
        "true",
        first.text,
      ]);
      const secret = first.data[member];
      if (typeof secret !== "string") throw new Error(`${path} shows no ${member}`);
      shown.push(secret);
    }

    const db = new Database(file, { readonly: true });
    const bodies = db.prepare<[], string>("SELECT body FROM idempotency").pluck().all();
    db.close();
    expect(bodies).toHaveLength(shown.length);
    const kept = bodies
      .flatMap((body) => [body, Buffer.from(body.slice(body.indexOf(":") + 1), "base64").toString("latin1")])
      .join("\n");
    expect(shown.filter((secret) => kept.includes(secret))).toEqual([]);
    const files = await Promise.all([file, `${file}-wal`].map((path) => readFile(path, "latin1")));
    expect(files.join("").includes(String(shown[0]))).toBe(false);
  });

  test("by an earlier version, in plain, is given again as it is", async () => {
    const file = await databaseFile();
    const rig = await openHttpRig({ file });
    const first = await rig.post("/api/keys", aKey, keyed("once"));
    const db = new Database(file);
    expect(db.prepare("UPDATE idempotency SET body = ?").run(first.text).changes).toBe(1);
    db.close();
    const again = await rig.post("/api/keys", aKey, keyed("once"));
    expect([again.status, again.text]).toEqual([201, first.text]);
  });

  test("opens under no other key: a row that was moved gives no answer, and nothing is done again", async () => {
    const file = await databaseFile();
    const rig = await openHttpRig({ file });
    await rig.post("/api/keys", aKey, keyed("once"));
    const db = new Database(file);
    db.prepare("UPDATE idempotency SET key = 'other'").run();
    db.close();
    expect((await rig.post("/api/keys", aKey, keyed("other"))).status).toBe(500);
    expect((await rig.store.keys.list()).filter(({ name }) => name === aKey.name)).toHaveLength(1);
  });
});
