/** The doctor on the way into WhatsApp itself, and on what a hub could be brought back from: its key and its backups. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../hub/config.ts";
import { SAFEKEEPING_MARKS } from "../../hub/core/safekeeping-marks.ts";
import { systemClock } from "../../hub/core/clock.ts";
import { noteDrill } from "../../hub/safekeeping/drill-by-hand.ts";
import { backupNow } from "../../hub/safekeeping/data-folder.ts";
import { startHub } from "../../hub/hub.ts";
import { createLog } from "../../hub/log.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { checkUpgrade } from "../../scripts/hub/doctor/upgrade.ts";
import { runHubCommand } from "../../scripts/hub/program.ts";
import { hours, minutes } from "../support/fixed-clock.ts";
import { listIn, recordOf } from "../support/http-rig.ts";
import { startEmulator } from "../whatsapp/emulator.ts";

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const DAY_MS = hours(24);

/** The doctor's lines by what they are about, with the advice where there is one. */
async function doctor(
  env: Record<string, string>,
  now: () => Date = () => new Date(),
): Promise<Record<string, string>> {
  let out = "";
  await runHubCommand(["doctor", "--json"], {
    env: { HUB_URL: "http://127.0.0.1:1", ...env },
    now,
    out: (text) => void (out += text),
    err: () => undefined,
  });
  return Object.fromEntries(
    listIn(recordOf(JSON.parse(out)), "checks").map(({ what, outcome, detail, advice }) => [
      String(what),
      `${String(outcome)}: ${String(detail)}${typeof advice === "string" ? ` → ${advice}` : ""}`,
    ]),
  );
}

describe("the way into WhatsApp", () => {
  test("is open where its WebSocket opens, and a refusal is told with its status and what to do", async () => {
    const emulator = await startEmulator();
    onTestFinished(() => emulator.stop());
    const env = { HUB_DATA_DIR: join(tmpdir(), "no-hub-here"), WA_WEB_SOCKET_URL: emulator.wsUrl };
    expect((await doctor(env))["WhatsApp: WebSocket"]).toBe("ok: opens");
    const told = async (status: number): Promise<string | undefined> => {
      emulator.fault({ kind: "reject-upgrade", status });
      return (await doctor(env))["WhatsApp: WebSocket"];
    };
    expect(await told(503)).toMatch(/^problem: HTTP 503 in place of a WebSocket → .*tries again by itself/);
    expect(await told(403)).toMatch(/^problem: HTTP 403 .* → .*let 127\.0\.0\.1:\d+ through/);
    expect(await told(429)).toMatch(/^problem: HTTP 429 .* → .*wait some minutes/);
  });

  test("is closed where a connection is taken and nothing comes back, or is broken off", async () => {
    const taken: Socket[] = [];
    let breaksOff = false;
    const server = createServer((socket) => {
      if (breaksOff) socket.destroy();
      else taken.push(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      for (const socket of taken) socket.destroy();
      server.close();
    });
    // Of a server that listens on a port.
    const url = new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws/chat`);
    const silent = await checkUpgrade("WhatsApp", url, { timeoutMs: 200 });
    expect(silent).toMatchObject({ outcome: "problem", detail: "no answer within 0.2 s" });
    expect(silent.advice).toContain(`let ${url.host} through`);
    breaksOff = true;
    expect(await checkUpgrade("WhatsApp", url)).toMatchObject({ outcome: "problem", detail: "ECONNRESET" });
  });
});

/** A hub ran here once, and is stopped. */
async function aStoppedHub(): Promise<{ dir: string; env: Record<string, string> }> {
  const dir = mkdtempSync(join(tmpdir(), "hub-doctor-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const env = { HUB_DATA_DIR: dir, HUB_PORT: "0", WA_WEB_SOCKET_URL: "ws://127.0.0.1:1/" };
  const hub = await startHub(readConfig(env), createLog("silent"));
  await hub.stop();
  return { dir, env };
}

test("the key has to be there, for its own user alone, and fit the data", async () => {
  const { dir, env } = await aStoppedHub();
  const key = async (): Promise<string | undefined> => (await doctor(env))["master key"];
  const file = join(dir, "master.key");
  expect(await key()).toBe(`ok: ${file}, for its own user alone; keep a copy elsewhere`);
  chmodSync(file, 0o644);
  expect(await key()).toBe(
    `problem: others on this machine can read ${file} (mode 0644) → chmod 600 ${file}`,
  );
  chmodSync(file, 0o600);
  writeFileSync(file, "ab".repeat(32));
  expect(await key()).toMatch(
    /^problem: The master key does not open .* → Use the key that the hub had before\.$/,
  );
  rmSync(file);
  expect(await key()).toMatch(/^problem: .* is not there → Put it back/);
  expect((await doctor({ ...env, HUB_MASTER_KEY: "cd".repeat(32) }))["master key"]).toMatch(/^problem: /);
  expect((await doctor({ ...env, HUB_DATA_DIR: join(dir, "new") }))["master key"]).toMatch(
    /^skipped: there is none yet/,
  );
});

test("backups have to be young while the hub runs, and one has to be tried out each month", async () => {
  const { dir, env } = await aStoppedHub();
  const told = async (afterMs = 0): Promise<[string | undefined, string | undefined]> => {
    const checks = await doctor(env, () => new Date(Date.now() + afterMs));
    return [checks["backups"], checks["restore drill"]];
  };
  expect(await told()).toEqual([
    expect.stringMatching(/^skipped: there is none yet/),
    expect.stringMatching(/^skipped: none yet/),
  ]);
  expect(await told(40 * DAY_MS)).toEqual([
    expect.stringMatching(/^problem: there is none → .*npm run hub -- backup/),
    expect.stringMatching(/^problem: there was none → .*npm run hub -- drill/),
  ]);

  await backupNow(readConfig(env), log);
  expect(readdirSync(join(dir, "backups"))).toHaveLength(1);
  // Nothing changes in a hub that is stopped: its last copy is as good as new.
  expect((await told(hours(5)))[0]).toBe("ok: 1, the newest 5 h old");

  const store = await openStore({ dataDir: dir, publicUrl: "http://localhost", clock: systemClock, log });
  onTestFinished(() => store.close());
  expect((await told(minutes(90)))[0]).toBe("ok: 1, the newest 90 min old");
  expect((await told(hours(5)))[0]).toMatch(/^problem: 1, the newest 5 h old → .*npm run hub -- backup/);

  await store.marks.set(SAFEKEEPING_MARKS.drill.done, new Date());
  expect((await told(20 * DAY_MS))[1]).toBe("ok: 20 days ago, the backup could be restored");
  expect((await told(40 * DAY_MS))[1]).toMatch(/^problem: 40 days ago → .*npm run hub -- drill/);
  await store.marks.set(SAFEKEEPING_MARKS.drill.failed, new Date(Date.now() + 1000));
  expect((await told(DAY_MS))[1]).toMatch(/^problem: it failed 23 h ago → npm run hub -- drill says why/);
  await noteDrill(dir, { at: new Date(Date.now() + 2000), backup: "newest", ok: true });
  expect((await told(DAY_MS))[1]).toBe("ok: 23 h ago, the backup could be restored");
});
