/** The people of the emulated network: each has a number, a hidden number (LID), names and a phone with Signal keys. */
import { createHash } from "node:crypto";
import { createParty, type Party } from "../signal/party.ts";
import { digitsOf, isLidJid, lidJid, pnJid } from "../wire/jid.ts";

export interface Person {
  readonly pn: string;
  readonly lid: string;
  /** The name they gave themselves. */
  pushName: string;
  /** "About". */
  about: string;
  /** Changes with each new profile picture; undefined: none. */
  pictureId?: string | undefined;
  /** Made when first needed: most contacts of an address book never write. */
  party(): Party;
  /** A new phone: new keys, and everything shared is gone. */
  reinstall(): void;
}

export interface People {
  /** Known or not: a number belongs to somebody. */
  get(pn: string): Person;
  /** By number (in any spelling) or LID; undefined when nobody was ever introduced under it. */
  find(reference: string): Person | undefined;
  /** Says that a number is, or is not, without WhatsApp. */
  setAbsent(pn: string, absent: boolean): void;
  isAbsent(pn: string): boolean;
  all(): Person[];
}

/** 15 digits, the same for a number in every run. */
export function lidOf(pn: string): string {
  const digest = createHash("sha256").update(`lid ${pn}`).digest();
  return `1${String(digest.readUIntBE(0, 6) % 1e14).padStart(14, "0")}`;
}

export function createPeople(): People {
  const byPn = new Map<string, Person>();
  const byLid = new Map<string, Person>();
  const absent = new Set<string>();

  const introduce = (pn: string): Person => {
    let party: Party | undefined;
    const person: Person = {
      pn,
      lid: lidOf(pn),
      pushName: "",
      about: "Hey there! I am using WhatsApp.",
      party: () => (party ??= createParty()),
      reinstall: () => void (party = undefined),
    };
    byPn.set(pn, person);
    byLid.set(person.lid, person);
    return person;
  };

  return {
    get: (pn) => byPn.get(pn) ?? introduce(pn),
    find: (reference) => {
      const digits = digitsOf(reference);
      if (isLidJid(reference)) return byLid.get(digits);
      return byPn.get(digits) ?? byLid.get(digits);
    },
    setAbsent(pn, is) {
      if (is) absent.add(pn);
      else absent.delete(pn);
    },
    isAbsent: (pn) => absent.has(pn),
    all: () => [...byPn.values()],
  };
}

export type Addressing = "lid" | "pn";

/** How a person is written in a stanza, and how they are written the other way. */
export const addressOf = (person: Person, addressing: Addressing, device = 0): string =>
  addressing === "lid" ? lidJid(person.lid, device) : pnJid(person.pn, device);
export const otherAddressOf = (person: Person, addressing: Addressing): string =>
  addressing === "lid" ? pnJid(person.pn) : lidJid(person.lid);
