/** A person and a whole hub: logged in over a restart, and nothing on its disk that would let anybody else in. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../hub/config.ts";
import { startHub, type Hub } from "../../hub/hub.ts";
import { createLog } from "../../hub/log.ts";
import { runHubCommand } from "../../scripts/hub/program.ts";
import { recordOf } from "../support/http-rig.ts";

const PASSWORD = "correct horse battery";

test(
  "a person stays logged in over a restart; the disk holds no password and no token",
  { timeout: 60_000 },
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "hub-login-"));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const env = { HUB_DATA_DIR: dir, HUB_PORT: "0", HUB_API_KEY: "operator-key-of-at-least-32-characters" };
    let hub: Hub = await startHub(readConfig(env), createLog("silent"));
    onTestFinished(() => hub.stop());
    const said: string[] = [];
    const code = await runHubCommand(["users", "add", "ana", "--scopes", "read", "--ask"], {
      env: { ...env, HUB_URL: hub.url },
      now: () => new Date(),
      out: (text) => void said.push(text),
      err: (text) => void said.push(text),
      askSecret: () => Promise.resolve(PASSWORD),
    });
    expect([code, said]).toEqual([0, [expect.stringContaining("(ana)")]]);

    const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(hub.url + path, { method: "POST", headers, body: JSON.stringify(body) });
      expect([path, response.status]).toEqual([path, 200]);
      return recordOf(recordOf(await response.json())["data"]);
    };
    const profile = async (token: unknown): Promise<number> =>
      (await fetch(`${hub.url}/api/auth/profile`, { headers: { Authorization: `Bearer ${String(token)}` } }))
        .status;

    const first = await post("/api/auth/login", { identifier: "ana", password: PASSWORD });
    expect(await profile(first["accessToken"])).toBe(200);
    await hub.stop();
    hub = await startHub(readConfig(env), createLog("silent"));
    expect(await profile(first["accessToken"])).toBe(200);
    const second = await post("/api/auth/refresh-token", { refreshToken: first["refreshToken"] });
    expect(await profile(second["accessToken"])).toBe(200);

    const files = readdirSync(dir, { recursive: true }).map((name) => join(dir, String(name)));
    const written = files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file));
    expect(written.some((bytes) => bytes.includes("POST /api/auth/login"))).toBe(true);
    const secrets = [first, second].flatMap((answer) => [answer["accessToken"], answer["refreshToken"]]);
    for (const secret of [PASSWORD, ...secrets.map(String)])
      expect(written.some((bytes) => bytes.includes(secret))).toBe(false);
  },
);
