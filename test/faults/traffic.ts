/** Messages as they come in an ordinary hour: from several people, in groups, typed on the phone; told apart by their text. */
import type { SeededRandom } from "../whatsapp/holdings/random.ts";
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
    if (random.int(12) === 0)
      emulator.typeOnPhone({ account: number, to: random.pick(people), kind: "text", text });
    else if (group !== undefined)
      emulator.receive({
        account: number,
        group: group.id,
        from: random.pick(group.members),
        kind: "text",
        text,
      });
    else if (random.int(10) === 0)
      emulator.receive({
        account: number,
        from: random.pick(people),
        kind: "image",
        caption: text,
        bytes: 500,
      });
    else emulator.receive({ account: number, from: random.pick(people), kind: "text", text });
  }
}

/** Everybody writes once in each group, so that their keys are known: a live message may overtake the one that brings a key. */
export function introduce({ emulator }: Pick<Stand, "emulator">, { number, groups }: LinkedAccount): void {
  for (const { id, members } of groups)
    for (const from of members)
      emulator.receive({ account: number, group: id, from, kind: "text", text: `fault hello ${from}` });
}

/** A group nobody wrote in yet: its first messages carry the senders' keys, each in two parts. */
export function sayInNewGroup(
  { emulator }: Pick<Stand, "emulator">,
  { number, people }: LinkedAccount,
): void {
  const members = people.slice(0, 4);
  const group = emulator.createGroup({ subject: "fault", members: [number, ...members] });
  for (const from of [...members, ...members])
    emulator.receive({
      account: number,
      group: group.id,
      from,
      kind: "text",
      text: `fault first words ${from}`,
    });
}
