/** W12 and W19: traffic while the hub or its line is away, judged by the books of WhatsApp, the hub and the CRM. */
import { expect, onTestFinished, test } from "vitest";
import { until } from "../support/until.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";
import { judge } from "./invariants.ts";
import { settle } from "./settle.ts";
import { openStand, type LinkedAccount, type Stand } from "./stand.ts";
import { introduce, sayInNewGroup } from "./traffic.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
const LIMIT_MS = 120_000;

async function aLinkedHub(): Promise<{ stand: Stand; account: LinkedAccount }> {
  const stand = await openStand();
  onTestFinished(() => stand.stop());
  await stand.start();
  const account = await stand.link("s1");
  expect(await settle(stand)).toEqual([]);
  return { stand, account };
}

async function allIsWell(stand: Stand): Promise<void> {
  expect(await settle(stand)).toEqual([]);
  expect(judge(stand)).toEqual({ lost: 0, doubled: 0, problems: [] });
}

const texts = ({ crm }: Stand): unknown[] => crm.messages().map((message) => message["content"]);

test(
  "W12: what came by itself, what came as a batch and what was typed on the phone while the hub was down is stored and told",
  { timeout: LIMIT_MS },
  async () => {
    const { stand, account } = await aLinkedHub();
    const { emulator } = stand;
    const { number, people, groups } = account;
    const [ana = ""] = people;
    emulator.receive({ account: number, from: ana, kind: "text", text: "fault live" });
    await settle(stand);
    await stand.kill();
    await until("the line down", () => emulator.account(number).devices.every(({ connected }) => !connected));
    emulator.receive({ account: number, from: ana, kind: "text", text: "fault while away" });
    emulator.typeOnPhone({ account: number, to: ana, kind: "text", text: "fault typed to her" });
    emulator.typeOnPhone({
      account: number,
      group: groups[0]?.id ?? "",
      kind: "text",
      text: "fault typed to a group",
    });
    emulator.typeOnPhone({ account: number, to: ana, kind: "image", caption: "fault picture", bytes: 500 });
    await stand.start();
    await stand.online(account);
    emulator.receive({ account: number, from: ana, kind: "text", text: "fault back" });
    await allIsWell(stand);
    expect(texts(stand).filter((text) => String(text).startsWith("fault"))).toHaveLength(6);
    const ours = stand.crm.messages().filter((message) => message["fromMe"] === true);
    expect(ours.map((message) => message["content"]).sort()).toEqual([
      "fault picture",
      "fault typed to a group",
      "fault typed to her",
    ]);
  },
);

test(
  "W19: group messages in any order, live ones before those that waited, over five connections: all read, none asked for again",
  { timeout: LIMIT_MS },
  async () => {
    console.log(`W19: FAULT_SEED=${SEED}`);
    const random = createRandom(`${SEED} W19`);
    const { stand, account } = await aLinkedHub();
    const { emulator, client } = stand;
    const { number, groups } = account;
    introduce(stand, account);
    await settle(stand);
    const say = (count: number): void => {
      for (let n = 0; n < count; n++) {
        const group = random.pick(groups);
        emulator.receive({
          account: number,
          group: group.id,
          from: random.pick(group.members),
          kind: "text",
          text: `fault ${random.hex(8)}`,
        });
      }
    };
    for (let round = 0; round < 5; round++) {
      // Out of order on a line that stands.
      emulator.fault({ kind: "reorder", account: number, order: shuffled(random, 10) });
      say(10);
      await settle(stand);
      // A batch that waits, and live ones that overtake it.
      emulator.fault({ kind: "reset", account: number });
      say(20);
      await client.post("/api/sessions/s1/restart");
      await stand.online(account);
      say(10);
      if (round === 2) sayInNewGroup(stand, account);
      await settle(stand);
    }
    await allIsWell(stand);
    expect(emulator.ledgerSummary(number)).toMatchObject({ retries: 0, nacked: 0 });
  },
);

function shuffled(random: ReturnType<typeof createRandom>, count: number): number[] {
  const rest = Array.from({ length: count }, (_, n) => n);
  return Array.from({ length: count }, () => rest.splice(random.int(rest.length), 1)[0] ?? 0);
}
