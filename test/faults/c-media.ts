/** C11: the download of a file, killed half-way. Nothing of it stays, the next one to ask gets all of it, and it is the right one. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/until.ts";
import { createRandom, type SeededRandom } from "../whatsapp/holdings/random.ts";
import { beginLives } from "./c-lives.ts";
import { judge } from "./invariants.ts";
import type { FaultRow, RowOptions, RowResult } from "./row.ts";
import { settle } from "./settle.ts";
import { openStand, type LinkedAccount, type Stand } from "./stand.ts";

/** On its way long enough to be caught there. */
const FILE_BYTES = 8 * 1024 * 1024;

export const MEDIA_ROW: FaultRow = {
  id: "C11",
  title: "killed in the middle of the download of a file",
  tries: 2,
  manyTries: 30,
  run,
};

async function run({ tries, seed, say = () => undefined }: RowOptions): Promise<RowResult> {
  const random = createRandom(seed);
  const stand = await openStand();
  try {
    const lives = await beginLives(stand);
    const account = await stand.link("s1");
    const problems = await settle(stand);
    let tried = 0;
    for (let n = 0; n < tries; n++) {
      const { url, sha256 } = await receiveFile(stand, account, random);
      const asked = fetchFile(url).catch(() => null);
      const reached = await killAt(stand, random.int(FILE_BYTES));
      if (reached !== null) tried++;
      await asked;
      await stand.kill();
      await lives.begin();
      await stand.online(account);
      if (halves(stand).length > 0) problems.push("a half file was left");
      // A file server's copy can be damaged as well: it must not pass for the file, nor be kept.
      stand.emulator.fault({ kind: "media", damage: "garbled" });
      const damaged = await fetchFile(url);
      if (damaged.status === 200) problems.push("a damaged file was handed out");
      const whole = await fetchFile(url);
      if (whole.sha256 !== sha256) problems.push(`the file is another one (${whole.status})`);
      if (halves(stand).length > 0) problems.push("a half file was left beside the whole one");
      say(`${n + 1}/${tries} killed when ${reached ?? "no"} bytes of ${FILE_BYTES} were there`);
    }
    problems.push(...(await settle(stand)));
    const { lost, doubled, problems: broken } = judge(stand);
    return { tried, lost, doubled, ...lives.figures(), problems: [...problems, ...broken] };
  } finally {
    await stand.stop();
  }
}

async function receiveFile(
  { emulator, crm }: Stand,
  { number, people }: LinkedAccount,
  random: SeededRandom,
): Promise<{ url: string; sha256: string }> {
  const bytes = randomBytes(FILE_BYTES);
  const from = random.pick(people);
  const caption = `fault ${random.hex(8)}`;
  emulator.receive({ account: number, from, kind: "document", caption, base64: bytes.toString("base64") });
  const url = await until("the webhook of the file", () => {
    const told = crm.messages().find((message) => message["caption"] === caption);
    return urlOf(told);
  });
  return { url, sha256: hashOf(bytes) };
}

function urlOf(message: Record<string, unknown> | undefined): string | null {
  const media = message?.["media"];
  return typeof media === "object" && media !== null && "url" in media && typeof media.url === "string"
    ? media.url
    : null;
}

/** As a CRM does: what is still on its way (503) is asked for again. */
async function fetchFile(url: string): Promise<{ status: number; sha256: string }> {
  const answer = await until("the file, or why not", async () => {
    const asked = await fetch(url);
    if (asked.status !== 503) return asked;
    await asked.body?.cancel();
    return null;
  });
  return { status: answer.status, sha256: hashOf(new Uint8Array(await answer.arrayBuffer())) };
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Kills the hub when that much of a file is on disk; how much there was. */
async function killAt(stand: Stand, size: number): Promise<number | null> {
  return until(
    "half a file",
    () => {
      const there = halves(stand).at(0);
      if (there === undefined || there < size) return null;
      process.kill(stand.hub().pid, "SIGKILL");
      return there;
    },
    { timeoutMs: 20_000, everyMs: 1 },
  ).catch(() => null);
}

/** Sizes of files that are not whole. */
function halves({ dataDir }: Stand): number[] {
  const dir = join(dataDir, "media");
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".part"))
    .map((name) => statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0);
}
