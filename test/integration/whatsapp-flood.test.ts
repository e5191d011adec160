/** Hundreds of messages that come at once leave the event loop to others in between. */
import { expect, test } from "vitest";
import { openWhatsAppRig } from "../support/whatsapp-rig.ts";
import { until } from "../support/until.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const bed = useEmulator();
const MESSAGES = 300;

test("a flood is taken in turns: what else there is to do gets done while it lasts", async () => {
  const emulator = bed.emulator();
  const { number: account } = emulator.createAccount({ preset: "small" });
  const rig = await openWhatsAppRig(emulator, { number: account });
  try {
    await rig.connect();
    await until("the history is stored", async () => (await rig.store().intake.open("s1")).length === 0);
    const from = emulator.contacts(account)[0]?.number ?? "";
    const ids = Array.from(
      { length: MESSAGES },
      (_, n) => emulator.receive({ account, from, kind: "text", text: `flood ${n}` }).id,
    );
    const recorded = (): string[] =>
      rig.recorded
        .flatMap(({ facts }) => facts)
        .flatMap((fact) => (fact.kind === "message" ? fact.message.id : []))
        .filter((id) => ids.includes(id));

    const seen = new Set<number>();
    await until(
      "all have come",
      () => {
        seen.add(recorded().length);
        return recorded().length >= MESSAGES;
      },
      { everyMs: 1 },
    );
    const midway = [...seen].filter((count) => count > 0 && count < MESSAGES);
    expect(midway.length).toBeGreaterThan(5);
    expect(recorded()).toEqual(ids);
  } finally {
    await rig.stop();
  }
});
