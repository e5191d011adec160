/**
 * `usync`: who exists, with which devices, under which hidden number. Baileys rc14 (WAUSync): without a `<lid>` for a number it
 * fetches no keys and "All encryptions failed"; devices other than 0 need a truthy key-index.
 */
import { linkedCompanions } from "../state/account.ts";
import type { Person } from "../state/people.ts";
import { digitsOf, isLidJid, lidJid, parseJid, pnJid } from "../wire/jid.ts";
import { childOf, childrenOf, stanza, textOf, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import type { IqHandler } from "./answer.ts";

type Parts = Pick<World, "people" | "accounts">;
interface Asked {
  person: Person | undefined;
  /** As the answer has to name them: the way they were asked for. */
  jid: string;
  byLid: boolean;
}

export const usync: IqHandler = ({ query }, world) => {
  const protocols = childrenOf(childOf(query, "query")).map(({ tag }) => tag);
  const users = childrenOf(childOf(query, "list")).flatMap((user) => {
    const asked = whoIs(user, world);
    return asked
      ? [
          stanza(
            "user",
            { jid: asked.jid },
            protocols.flatMap((tag) => answerFor(tag, asked, world)),
          ),
        ]
      : [];
  });
  return [
    stanza("usync", { sid: query.attrs["sid"], mode: "query", last: "true", index: "0" }, [
      stanza(
        "result",
        {},
        protocols.map((tag) => stanza(tag)),
      ),
      stanza("list", {}, users),
    ]),
  ];
};

function whoIs(user: Stanza, { people }: Parts): Asked | undefined {
  const jid = user.attrs["jid"];
  if (jid === undefined) {
    const digits = digitsOf(textOf(childOf(user, "contact")) ?? "");
    return digits ? { person: existing(digits, people), jid: pnJid(digits), byLid: false } : undefined;
  }
  const byLid = isLidJid(jid);
  return { person: byLid ? people.find(jid) : existing(parseJid(jid).user, people), jid, byLid };
}

/** A number nobody ever mentioned belongs to somebody all the same, unless it was said to be without WhatsApp. */
const existing = (pn: string, people: World["people"]): Person | undefined =>
  people.isAbsent(pn) ? undefined : people.get(pn);

function answerFor(protocol: string, { person, byLid }: Asked, { accounts }: Parts): Stanza[] {
  switch (protocol) {
    case "contact":
      return [stanza("contact", { type: person ? "in" : "out" })];
    case "devices":
      return person ? [stanza("devices", {}, [stanza("device-list", {}, devicesOf(person, accounts))])] : [];
    case "lid":
      return person && !byLid ? [stanza("lid", { val: lidJid(person.lid) })] : [];
    case "status":
      return person
        ? [stanza("status", { t: 0 }, Buffer.from(person.about))]
        : [stanza("status", { code: 401, t: 0 })];
    case "disappearing_mode":
      return [stanza("disappearing_mode", { duration: 0, t: 0 })];
    default:
      // User names and bots: nobody has them here.
      return [];
  }
}

function devicesOf(person: Person, accounts: World["accounts"]): Stanza[] {
  const account = accounts.get(person.pn);
  const companions = account ? linkedCompanions(account) : [];
  return [
    stanza("device", { id: 0 }),
    ...companions.map(({ device, keyIndex }) => stanza("device", { id: device, "key-index": keyIndex })),
  ];
}
