/** Messages as they come in an ordinary hour: from several people, in groups, typed on the phone; told apart by their text. */
import type { SeededRandom } from "../whatsapp/data/random.ts";
import type { LinkedAccount, Stand } from "./stand.ts";

/** Queues that many messages for the account: live when its device is online, an offline batch when it is not. */
export function say(
  { emulator }: Pick<Stand, "emulator">,
  { number, people, groups }: LinkedAccount,
  random: SeededRandom,
  count: number,
): void {
  for (let n = 0; n < count; n++) {
    const text = `fault ${random.hex(8)}`;
    const group = random.int(4) === 0 ? random.pick(groups) : undefined;
    if (random.int(12) === 0) emulator.typeOnPhone({ account: number, to: random.pick(people), kind: "text", text });
    else if (group !== undefined)
      emulator.receive({ account: number, group: group.id, from: random.pick(group.members), kind: "text", text });
    else if (random.int(10) === 0)
      emulator.receive({ account: number, from: random.pick(people), kind: "image", caption: text, bytes: 500 });
    else emulator.receive({ account: number, from: random.pick(people), kind: "text", text });
  }
}
