/** C12: killed while credentials and keys are written. They can always be read, and nobody has to link the account anew. */
import { join } from "node:path";
import { systemClock } from "../../hub/core/clock.ts";
import { readMasterKeys } from "../../hub/sessions/master-key.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { credsOf, isPaired } from "../../hub/whatsapp/auth-state.ts";
import { keyPlace } from "../../hub/whatsapp/journal.ts";
import { logBook } from "../support/log-book.ts";
import { atPoint, atRandom, type MakeBlow } from "./blows.ts";
import { killAgainAndAgain, type KillPlan } from "./kill-run.ts";
import type { FaultRow } from "./row.ts";
import type { Stand } from "./stand.ts";

export const KEYS_ROW: FaultRow = {
  id: "C12",
  title: "killed while credentials and keys are written",
  tries: 10,
  manyTries: 300,
  run: (options) => killAgainAndAgain(plan(), options),
};

/** Each login brings credentials up to date, once. */
const atLogin: MakeBlow = () => ({ name: "in-creds:1", crashAt: "in-creds:1" });

function plan(): KillPlan {
  let codesShown: number | null = null;
  const codes = ({ emulator }: Stand): number => emulator.counters().counts.registrations;
  return {
    blows: [atPoint("in-keys"), atLogin, atPoint("before-commit"), atPoint("in-keys"), atRandom],
    whenDown: (stand) => {
      // Before the first kill the account was linked; from then on no code may be asked for.
      codesShown ??= codes(stand);
      return unreadable(stand.dataDir);
    },
    expectations: (stand) => (codes(stand) === codesShown ? [] : ["a code to scan was asked for again"]),
  };
}

/** What of the login cannot be opened, or is not what it says. */
async function unreadable(dataDir: string): Promise<string[]> {
  const store = await openStore({
    dataDir,
    publicUrl: "http://hub.example",
    clock: systemClock,
    log: logBook(),
  });
  try {
    const keys = await readMasterKeys({
      configured: null,
      file: join(dataDir, "master.key"),
      mayCreate: false,
    });
    const cipher = await (await createVault({ ...keys, keys: store.vault })).cipher("session:s1");
    const rows = await store.auth.loginRows("s1");
    if (rows?.creds == null) return ["the credentials are gone"];
    if (!isPaired(credsOf(cipher.open("creds", rows.creds)))) return ["the credentials are of no account"];
    for (const { type, id, value } of rows.keys) cipher.open(keyPlace(type, id), value);
    return [];
  } catch (cause) {
    return [`the login cannot be read: ${String(cause)}`];
  } finally {
    await store.close();
  }
}
