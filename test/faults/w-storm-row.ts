/** W6, its storm: thousands of messages that nobody can read and nobody sends again. A good one must not wait for them. */
import { UNDECRYPTABLE } from "../../hub/core/message.ts";
import { openWhatsAppRig, type WhatsAppRig } from "../support/whatsapp-rig.ts";
import { until } from "../support/until.ts";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import { trustEmulator } from "../whatsapp/trust.ts";
import type { FaultRow, RowOptions, RowResult } from "./row.ts";

const GOOD_WAITS_MS = 1000;
/** A machine that is busy with other things is slow without a storm as well. */
const BUSY_FACTOR = 10;
/** How many lines a storm may write, however big it is: one in ten seconds of each kind. */
const LINES_EVERY_MS = 10_000;
const KINDS_OF_LINES = 8;
/** Three times as many a second as in the worst storm that was reported; more at once are a queue, not a storm. */
const WAVE = 15;
const WAVE_MS = 200;
/** Of this process, in which WhatsApp is played as well. */
const CPU_MS_FOR_EACH = 20;
const ROUND_MS = 250;
const EVERYTHING = 1_000_000;
const PATIENCE_MS = 600_000;

interface Storm {
  emulator: Emulator;
  rig: WhatsAppRig;
  account: string;
  stormy: string;
  calm: string;
}

async function storm({ tries, say = () => undefined }: RowOptions): Promise<RowResult> {
  const emulator = await startEmulator();
  await trustEmulator(emulator);
  const { number: account } = emulator.createAccount({ preset: "small", size: { messages: 0 } });
  const rig = await openWhatsAppRig(emulator, {
    number: account,
    timing: { sweepMs: 500, missingAfterMs: 1000 },
  });
  try {
    await rig.connect();
    const [first, second] = emulator.contacts(account);
    const scene = { emulator, rig, account, stormy: first?.number ?? "", calm: second?.number ?? "" };
    await good(scene, "the first, which begins the session");
    let calmMs = 0;
    for (let n = 0; n < 5; n++) calmMs = Math.max(calmMs, await good(scene, `before the storm ${n}`));
    emulator.fault({ kind: "phone-silent", account, count: null });
    emulator.fault({ kind: "ignore-retry", account, count: null });
    const linesBefore = rig.lines.length;
    const began = performance.now();
    const cpuBefore = process.cpuUsage();

    const blowing = waves(scene, tries);
    const waits = await goodOnes(scene, tries);
    await blowing;
    const ms = performance.now() - began;
    const { user, system } = process.cpuUsage(cpuBefore);
    // One a minute in earnest; here it is looked far more often.
    const lines = rig.lines
      .slice(linesBefore)
      .filter(({ event }) => event !== "whatsapp.messages_missing").length;
    const cpuMs = (user + system) / 1000 / tries;
    const typical = waits[waits.length >> 1] ?? 0;
    say(
      `${tries} broken: a good message took ${Math.round(typical)} ms, the slowest ${Math.round(waits.at(-1) ?? 0)} ms ` +
        `(before: ${Math.round(calmMs)} ms), ${lines} lines, ` +
        `${cpuMs.toFixed(2)} ms of CPU for each (WhatsApp's own part as well), ${Math.round(ms)} ms in all`,
    );
    return await judged(scene, { tries, typical, lines, ms, cpuMs, calmMs });
  } finally {
    await rig.stop();
    await emulator.stop();
  }
}

/** No faster than the machine can follow: what is broken is asked for at once. */
async function waves({ emulator, account, stormy }: Storm, tries: number): Promise<void> {
  const asked = (): number => emulator.counters().counts.retriesAsked;
  const before = asked();
  for (let said = 0; said < tries;) {
    const due = performance.now() + WAVE_MS;
    const wave = Math.min(WAVE, tries - said);
    for (let n = 0; n < wave; n++) {
      // Armed one at a time: good messages pass in between.
      emulator.fault({ kind: "corrupt", account });
      emulator.receive({ account, from: stormy, kind: "text", text: `bad ${said++}` });
    }
    await until("the next wave", () => performance.now() >= due && asked() - before >= said - WAVE, {
      timeoutMs: PATIENCE_MS,
    });
  }
}

/** One good message after the other, until all of the storm is shown; how long each of them took, in order of length. */
async function goodOnes(scene: Storm, tries: number): Promise<number[]> {
  const waits: number[] = [];
  let rounds = 0;
  const deadline = performance.now() + PATIENCE_MS;
  while ((await shown(scene)) < tries && performance.now() < deadline) {
    waits.push(await good(scene, `good ${rounds++}`));
    const next = performance.now() + ROUND_MS;
    await until("the next round", () => performance.now() >= next);
  }
  return waits.sort((a, b) => a - b);
}

async function good({ emulator, rig, account, calm }: Storm, text: string): Promise<number> {
  const since = performance.now();
  const { id } = emulator.receive({ account, from: calm, kind: "text", text });
  await until(text, () => rig.store().inbox.message("s1", id), { timeoutMs: PATIENCE_MS, everyMs: 5 });
  return performance.now() - since;
}

async function shown({ rig }: Storm): Promise<number> {
  const stats = await rig.store().inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 1 });
  return stats.total - goodStored(rig);
}

const goodStored = (rig: WhatsAppRig): number =>
  rig.recorded
    .flatMap(({ facts }) => facts)
    .filter((fact) => fact.kind === "message" && fact.message.unknownKind !== UNDECRYPTABLE).length;

async function judged(
  { emulator, rig, account }: Storm,
  {
    tries,
    typical,
    lines,
    ms,
    cpuMs,
    calmMs,
  }: Record<"tries" | "typical" | "lines" | "ms" | "cpuMs" | "calmMs", number>,
): Promise<RowResult> {
  const problems: string[] = [];
  if (cpuMs > CPU_MS_FOR_EACH) problems.push(`each took ${cpuMs.toFixed(1)} ms of CPU`);
  // Not the slowest one: a disk that others use as well stands still for longer at times.
  if (typical > Math.max(GOOD_WAITS_MS, BUSY_FACTOR * calmMs))
    problems.push(`a good message waited ${Math.round(typical)} ms`);
  const allowed = KINDS_OF_LINES * (1 + Math.ceil(ms / LINES_EVERY_MS));
  if (lines > allowed) problems.push(`${lines} lines were logged, not ${allowed} at most`);
  if (JSON.stringify(rig.lines).includes(account)) problems.push("the account's number is in the log");
  const tooOften = emulator
    .ledger({ account, limit: EVERYTHING })
    .filter(({ retriedAt }) => retriedAt.length > 5);
  if (tooOften.length > 0) problems.push(`${tooOften.length} messages were asked for more than five times`);
  if (rig.signals.at(-1)?.type !== "opened") problems.push("the connection did not hold");
  const owed = emulator.ledger({ account, limit: EVERYTHING }).filter(({ kind }) => kind === "text");
  const known = new Set(
    rig.recorded
      .flatMap(({ facts }) => facts)
      .flatMap((fact) => (fact.kind === "message" ? [fact.message.id] : [])),
  );
  const { total } = await rig.store().inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 1 });
  return {
    tried: tries,
    lost: owed.filter(({ id }) => !known.has(id)).length,
    doubled: total - known.size,
    recoveredMs: null,
    ordinaryMs: null,
    problems,
  };
}

export const STORM_ROW: FaultRow = {
  id: "W6",
  title: "a storm of messages that cannot be read",
  tries: 300,
  manyTries: 10_000,
  run: storm,
};
