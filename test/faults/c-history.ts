/** C10: the import of an account's past, killed in the middle of its chunks. What stays open is fetched again, and once. */
import { until } from "../support/until.ts";
import { createRandom, type SeededRandom } from "../whatsapp/holdings/random.ts";
import { beginLives } from "./c-lives.ts";
import { keyOf, readFolder } from "./folder.ts";
import type { FaultRow, RowOptions, RowResult } from "./row.ts";
import { openStand, type Stand } from "./stand.ts";

const CHUNKS = 10;
const IN_A_CHUNK = 40;
const MESSAGES = CHUNKS * IN_A_CHUNK;
const PLACES = ["before-record", "after-record"];
const PATIENCE_MS = 60_000;

export const HISTORY_ROW: FaultRow = {
  id: "C10",
  title: "killed in the middle of the import of an account's past",
  tries: 2,
  manyTries: 30,
  run,
};

interface Imported {
  sessionId: string;
  number: string;
}

/** Each try links another account to the same hub and kills it in that account's import. */
async function run({ tries, seed, say = () => undefined }: RowOptions): Promise<RowResult> {
  const random = createRandom(seed);
  const stand = await openStand();
  try {
    const lives = await beginLives(stand);
    await stand.kill();
    const accounts: Imported[] = [];
    const problems: string[] = [];
    let tried = 0;
    for (let n = 0; n < tries; n++) {
      const crashAt = `${random.pick(PLACES)}:${1 + random.int(CHUNKS)}`;
      await lives.begin({ crashAt });
      accounts.push(await link(stand, `s${n + 1}`, random));
      if (await lives.fell()) tried++;
      const missing = missingOf(stand, accounts);
      await lives.begin();
      await until("the import complete", () => left(stand, accounts).length === 0, {
        timeoutMs: PATIENCE_MS,
        everyMs: 50,
      }).catch(() => problems.push(...left(stand, accounts)));
      await stand.kill();
      say(`${n + 1}/${tries} killed at ${crashAt}, when ${missing} of ${MESSAGES} messages were missing`);
    }
    const all = readFolder(stand.dataDir, (folder) => folder.messages());
    return {
      tried,
      lost: missingOf(stand, accounts),
      doubled: all.length - new Set(all).size,
      ...lives.figures(),
      problems,
    };
  } finally {
    await stand.stop();
  }
}

/** Returns when the phone has vouched for the device: what comes then is the import. */
async function link({ client, emulator }: Stand, sessionId: string, random: SeededRandom): Promise<Imported> {
  const { number } = emulator.createAccount({
    size: { contacts: 20, chats: 10, groups: 2, messages: MESSAGES },
    options: { history: random.pick(["inline", "download"]), historyChunk: IN_A_CHUNK },
  });
  await client.post("/api/sessions", { sessionId });
  await client.post(`/api/sessions/${sessionId}/connect`);
  const { qr } = await client.get<{ qr: string }>(`/api/sessions/${sessionId}/qr`);
  await emulator.scanQr(qr, number);
  return { sessionId, number };
}

function left(stand: Stand, accounts: Imported[]): string[] {
  const missing = missingOf(stand, accounts);
  const open = readFolder(stand.dataDir, (folder) => folder.openIntake());
  return [
    ...(missing === 0 ? [] : [`${missing} messages of the past are missing`]),
    ...(open === 0 ? [] : [`${open} announcements of chunks are open`]),
  ];
}

function missingOf({ emulator, dataDir }: Stand, accounts: Imported[]): number {
  const stored = new Set(readFolder(dataDir, (folder) => folder.messages()));
  return accounts
    .flatMap(({ sessionId, number }) =>
      emulator.history(number).flatMap(({ messages }) => messages.map(({ id }) => keyOf(sessionId, id))),
    )
    .filter((key) => !stored.has(key)).length;
}
