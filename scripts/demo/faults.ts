/** The act of trouble (`--faults`): what goes wrong in a year, one after the other, and the books compared after each. */
import { until } from "../../test/support/until.ts";
import { hasDelivered, readQr, seconds, SESSION, soleAccount } from "./acts.ts";
import { corruptLogin } from "./corrupt-login.ts";
import { isRight, judge, type Judgement } from "./judge.ts";
import type { Screen } from "./screen.ts";
import type { Stage } from "./stage.ts";

const FEW = 10;
const OFFLINE_BATCH = 300;
const PATIENCE_MS = 60_000;

/** What the books said after one kind of trouble. */
export interface Trouble extends Judgement {
  name: string;
  /** Messages that were said meanwhile. */
  said: number;
  /** From the strike until the session was connected again. */
  secondsUntilBack: number;
}

/** Strikes, brings back, and says how many messages were said meanwhile. */
type Strike = (stage: Stage, screen: Screen) => Promise<number>;

const STRIKES: Record<string, Strike> = {
  "the connection is cut": cut,
  "the phone logs the device out": logOut,
  "force-cleanup of a healthy session, soft": cleanSoftly,
  "quarantine, and undo": quarantineAndUndo,
  "kill -9 in the middle of an offline batch": killInBatch,
  "a login is corrupted on disk": (stage, screen) => corruptLogin(stage, screen, () => say(stage, FEW)),
};

export async function breakThings(stage: Stage, screen: Screen): Promise<Trouble[]> {
  screen.heading("5 · Trouble, one after the other");
  const troubles: Trouble[] = [];
  for (const [name, strike] of Object.entries(STRIKES)) {
    screen.bad(name);
    const since = performance.now();
    const said = await strike(stage, screen);
    await isBack(stage);
    const secondsUntilBack = seconds(performance.now() - since);
    const judgement = await settled(stage);
    const { lost, duplicated, difference } = judgement;
    const line = `connected ${secondsUntilBack} s later; of ${said} messages said meanwhile lost ${lost}, doubled ${duplicated}`;
    if (isRight(judgement)) screen.good(line);
    else screen.bad(`${line}; hub and CRM differ by ${difference}`);
    troubles.push({ name, said, secondsUntilBack, ...judgement });
  }
  return troubles;
}

async function cut(stage: Stage): Promise<number> {
  const { number } = await soleAccount(stage);
  const after = await stage.whatsapp.lastEvent();
  await stage.whatsapp.fault({ kind: "reset", account: number });
  const said = await say(stage, FEW);
  await stage.whatsapp.waitFor({ types: ["online"], after, timeoutMs: PATIENCE_MS });
  return said;
}

/** The login is put away, not deleted; a fresh code links the number again. */
async function logOut(stage: Stage, screen: Screen): Promise<number> {
  const { number } = await soleAccount(stage);
  const before = await say(stage, FEW);
  await settled(stage); // what the phone took back from the device is owed to nobody
  await stage.whatsapp.unlink(number);
  const { reason } = await until("the session logged out", async () => {
    const shown = await sessionOf(stage);
    return shown.state === "logged_out" ? shown : null;
  });
  screen.fact("its reason", reason?.text ?? "none");
  screen.fact("its advice", reason?.advice ?? "none");
  screen.fact("in Spanish", reason?.adviceEs ?? "none");
  await stage.hub.post(`/api/sessions/${SESSION}/connect`);
  await scanFresh(stage, number);
  screen.fact("a fresh code", "scanned");
  await isBack(stage);
  return before + (await say(stage, FEW));
}

async function cleanSoftly(stage: Stage, screen: Screen): Promise<number> {
  const [cleanup, said] = await Promise.all([clean(stage, "soft"), say(stage, FEW)]);
  tell(screen, cleanup);
  return said;
}

/** Meanwhile WhatsApp keeps what is said for the device that was put away; it arrives when that one is back. */
async function quarantineAndUndo(stage: Stage, screen: Screen): Promise<number> {
  const cleanup = await clean(stage, "quarantine");
  tell(screen, cleanup);
  await until("a fresh code", () => readQr(stage));
  screen.fact("instead", "a fresh QR code is offered");
  const said = await say(stage, FEW);
  const { quarantineId } = cleanup;
  await stage.hub.post(`/api/sessions/${SESSION}/force-cleanup/undo`, { quarantineId });
  screen.fact("undone", "the login is in use again, no code was scanned");
  return said;
}

async function killInBatch(stage: Stage, screen: Screen): Promise<number> {
  await stage.killHub();
  const said = await say(stage, OFFLINE_BATCH);
  const after = await stage.whatsapp.lastEvent();
  await Promise.all([
    stage.restartHub(),
    stage.whatsapp.waitFor({ types: ["message.received"], after, timeoutMs: PATIENCE_MS }),
  ]);
  await stage.killHub();
  const { unacked } = await stage.whatsapp.ledgerSummary();
  screen.fact("killed", `${said - unacked} of ${said} had been taken`);
  screen.fact("ready again", `${seconds(await stage.restartHub())} s after the start of the process`);
  return said;
}

async function say(stage: Stage, count: number): Promise<number> {
  const { number } = await soleAccount(stage);
  const people = await stage.whatsapp.contacts(number);
  await stage.whatsapp.receiveAll(
    Array.from({ length: count }, (_, n) => ({
      kind: "text" as const,
      text: `Are you still there? ${n + 1}`,
      account: number,
      from: people[n % people.length]?.number,
    })),
  );
  return count;
}

interface ShownSession {
  state: string;
  isConnected: boolean;
  reason: { text: string; advice: string; adviceEs?: string } | null;
}

const sessionOf = ({ hub }: Stage): Promise<ShownSession> => hub.get(`/api/sessions/${SESSION}/status`);

const isBack = (stage: Stage): Promise<boolean> =>
  until("the session connected", async () => (await sessionOf(stage)).isConnected, {
    timeoutMs: PATIENCE_MS,
  });

async function scanFresh(stage: Stage, number: string): Promise<void> {
  const { qr } = await until("a fresh QR code", () => readQr(stage));
  const { outcome } = await stage.whatsapp.scanQr(qr, number);
  if (outcome !== "paired") throw new Error(`The phone did not link again: ${outcome}`);
}

interface Cleanup {
  mode: string;
  quarantineId: string | null;
  undoUntil: string | null;
  steps: { name: string; ok: boolean }[];
}

const clean = ({ hub }: Stage, mode: string): Promise<Cleanup> =>
  hub.post(`/api/sessions/${SESSION}/force-cleanup`, { mode });

function tell(screen: Screen, { steps, undoUntil }: Cleanup): void {
  screen.fact("its steps", steps.map(({ name, ok }) => `${name} ${ok ? "ok" : "failed"}`).join(", "));
  screen.fact("can be undone", undoUntil === null ? "nothing to undo" : `until ${undoUntil}`);
}

/** The books when everything has come to rest, or as they are when it does not in time. */
async function settled(stage: Stage): Promise<Judgement> {
  const isAtRest = async (): Promise<boolean> => {
    const { unacked } = await stage.whatsapp.ledgerSummary();
    return unacked === 0 && (await hasDelivered(stage)) && isRight(await judge(stage, SESSION));
  };
  await until("everything at rest", isAtRest, { timeoutMs: PATIENCE_MS, everyMs: 200 }).catch(() => null);
  return judge(stage, SESSION);
}
