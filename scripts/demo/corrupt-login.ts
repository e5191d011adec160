/** Of two accounts, one's login is corrupted on disk: that one is put aside and says so, the other lives, and a copy brings it back. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { z } from "zod";
import { until } from "../../test/support/until.ts";
import { readQr, SESSION } from "./acts.ts";
import type { Screen } from "./screen.ts";
import type { Stage } from "./stage.ts";

const BRANCH = "branch";
const PATIENCE_MS = 60_000;

interface ShownSession {
  state: string;
  isConnected: boolean;
  reason: { code: string; text: string; advice: string } | null;
}

const statusOf = ({ hub }: Stage, session: string): Promise<ShownSession> =>
  hub.get(`/api/sessions/${session}/status`);

const isConnected = (stage: Stage, session: string): Promise<boolean> =>
  until(`${session} connected`, async () => (await statusOf(stage, session)).isConnected, {
    timeoutMs: PATIENCE_MS,
  });

/** `say` says something to the other account, and how much it was. */
export async function corruptLogin(
  stage: Stage,
  screen: Screen,
  say: () => Promise<number>,
): Promise<number> {
  await linkBranch(stage);
  screen.fact("a second account", "linked");
  await stage.killHub();
  const { name: backup } = z.object({ name: z.string() }).parse(await stage.operate("backup"));
  corrupt(stage.hubFolder);
  screen.fact("killed", "its database copied, then bytes of the second login changed");
  const said = await say();
  await stage.restartHub();
  const { reason } = await until("the damage noticed", async () => {
    const shown = await statusOf(stage, BRANCH);
    return shown.state === "logged_out" ? shown : null;
  });
  screen.fact("the second account", `${reason?.code ?? "no reason"}: ${reason?.text ?? "none"}`);
  screen.fact("its advice", reason?.advice ?? "none");
  await isConnected(stage, SESSION);
  screen.fact("the first account", "connected, as if nothing had happened");

  await stage.stopHub();
  const { isStale } = z
    .object({ isStale: z.boolean() })
    .parse(await stage.operate("restore-login", BRANCH, backup, "--yes"));
  await stage.restartHub();
  await stage.hub.post(`/api/sessions/${BRANCH}/connect`);
  await isConnected(stage, BRANCH);
  screen.fact("put back", `${isStale ? "with new keys" : "as it was"}; connected, no code was scanned`);
  return said;
}

async function linkBranch(stage: Stage): Promise<void> {
  const { number } = await stage.whatsapp.createAccount({ preset: "empty" });
  await stage.hub.post("/api/sessions", { sessionId: BRANCH, sessionName: "Demo branch" });
  await stage.hub.post(`/api/sessions/${BRANCH}/connect`);
  const { qr } = await until("a QR code", () => readQr(stage, BRANCH));
  const { outcome } = await stage.whatsapp.scanQr(qr, number);
  if (outcome !== "paired") throw new Error(`The second phone did not link: ${outcome}`);
  await isConnected(stage, BRANCH);
}

function corrupt(folder: string): void {
  const file = join(folder, "hub.db");
  // The last to close the file of a killed hub would empty its log, which the hub would miss: this one only reads.
  const reader = new Database(file, { readonly: true });
  reader.prepare("SELECT 1 FROM session").get();
  const db = new Database(file);
  const { changes } = db
    .prepare(
      `UPDATE auth_creds SET v = CAST(substr(v, 1, 40) || x'00ff' || substr(v, 43) AS BLOB)
       WHERE session = (SELECT id FROM session WHERE session_id = ?)`,
    )
    .run(BRANCH);
  db.close();
  reader.close();
  if (changes !== 1) throw new Error("there was no login to corrupt");
}
