/** The emulator's own Signal against the one inside Baileys: they share no code, so they agree only if both are right. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { aBaileysSignal, HUB } from "../support/baileys-signal.ts";
import { verify, withTypeByte } from "../whatsapp/signal/curve.ts";
import { padMessage, unpadMessage } from "../whatsapp/signal/padding.ts";
import { type Ciphertext, createParty } from "../whatsapp/signal/party.ts";

// Baileys' Signal prints whole sessions, private keys included, whenever one is closed.
beforeAll(() => {
  for (const method of ["info", "warn", "error"] as const)
    vi.spyOn(console, method).mockImplementation(() => {});
});
afterAll(() => void vi.restoreAllMocks());

test("a contact's first messages are pkmsg, until the hub has answered", async () => {
  const { hub, contact } = await strangers();
  const bundle = await hub.bundle(1);

  const first = contact.encrypt(HUB, text("uno"), bundle);
  const second = contact.encrypt(HUB, text("dos"));
  expect([first.type, second.type]).toEqual(["pkmsg", "pkmsg"]);
  expect(await hub.reads(first)).toBe("uno");
  expect(await hub.reads(second)).toBe("dos");

  expect(contact.read(await hub.writes("tres"))).toBe("tres");
  const third = contact.encrypt(HUB, text("cuatro"));
  expect(third.type).toBe("msg");
  expect(await hub.reads(third)).toBe("cuatro");
});

test("a contact's first message uses up one of the hub's prekeys", async () => {
  const { hub, contact } = await strangers();
  const bundle = await hub.bundle(5);
  expect(await hub.hasPreKey(5)).toBe(true);
  await hub.reads(contact.encrypt(HUB, text("hola"), bundle));
  expect(await hub.hasPreKey(5)).toBe(false);

  await expect(hub.reads(stranger().encrypt(HUB, text("tarde"), bundle))).rejects.toThrow(
    "Invalid PreKey ID",
  );
});

test("a contact can start without a one-time prekey when the hub has none left", async () => {
  const { hub, contact } = await strangers();
  const { preKey, ...bundle } = await hub.bundle(1);
  expect(preKey).toBeDefined();
  expect(await hub.reads(contact.encrypt(HUB, text("hola"), bundle))).toBe("hola");
  expect(contact.read(await hub.writes("buenas"))).toBe("buenas");
});

test.each([true, false])("the hub can write first (one-time prekey: %s)", async (oneTimePreKey) => {
  const { hub, contact } = await strangers();
  await hub.knows(contact.bundle({ oneTimePreKey }));

  const first = await hub.writes("uno");
  expect(first.type).toBe("pkmsg");
  expect(contact.read(first)).toBe("uno");
  expect(contact.read(await hub.writes("dos"))).toBe("dos");

  const answer = contact.encrypt(HUB, text("tres"));
  expect(answer.type).toBe("msg");
  expect(await hub.reads(answer)).toBe("tres");
  expect((await hub.writes("cuatro")).type).toBe("msg");
});

test("a one-time prekey of a contact opens one session only", async () => {
  const { hub, contact } = await strangers();
  const bundle = contact.bundle();
  await hub.knows(bundle);
  const first = await hub.writes("uno");
  contact.read(first);

  const other = await aBaileysSignal();
  await other.knows(bundle);
  const late = await other.writes("dos");
  expect(() => contact.decrypt("another@lid", late.type, late.ciphertext)).toThrow("was used before");
  expect(contact.read(await hub.writes("tres"))).toBe("tres");
});

test("a bundle whose signed prekey somebody else signed is refused", async () => {
  const { hub, contact } = await strangers();
  const bundle = await hub.bundle(1);
  const signedPreKey = { ...bundle.signedPreKey, signature: stranger().bundle().signedPreKey.signature };
  expect(() => contact.encrypt(HUB, text("hola"), { ...bundle, signedPreKey })).toThrow("not signed");
  expect(contact.hasSession(HUB)).toBe(false);
});

test("a contact's own bundle is signed by its identity", () => {
  const { identity, signedPreKey } = stranger().bundle();
  const signed = withTypeByte(signedPreKey.public);
  expect(verify(identity, signed, signedPreKey.signature)).toBe(true);
  expect(verify(stranger().bundle().identity, signed, signedPreKey.signature)).toBe(false);
  expect(verify(identity, signed, Buffer.alloc(64))).toBe(false);
});

test("both write first at the same time: both are read, and a fresh session leads out of the confusion", async () => {
  const { hub, contact } = await strangers();
  await hub.knows(contact.bundle());
  const ours = contact.encrypt(HUB, text("a"), await hub.bundle(1));
  const theirs = await hub.writes("b");
  expect(await hub.reads(ours)).toBe("a");
  expect(contact.read(theirs)).toBe("b");

  // When Baileys reads by one of two sessions it may first try the other, and damages it by that: a contact that cannot
  // read what comes next asks for a retry, and the hub starts anew.
  expect(await hub.reads(contact.encrypt(HUB, text("c")))).toBe("c");
  contact.retire(HUB);
  await hub.knows(contact.bundle());
  for (let round = 0; round < 5; round++) {
    expect(contact.read(await hub.writes(`h${round}`))).toBe(`h${round}`);
    expect(await hub.reads(contact.encrypt(HUB, text(`c${round}`)))).toBe(`c${round}`);
  }
});

test("two of our own devices that write first at the same time understand each other ever after", () => {
  const [one, two] = [createParty(), createParty()];
  const bundle = two.bundle();
  let crossing = [
    one.encrypt("two", text("a"), bundle),
    two.encrypt("one", text("a"), one.bundle()),
  ] as const;
  for (let round = 0; round < 5; round++) {
    const [toTwo, toOne] = crossing;
    expect(two.decrypt("one", toTwo.type, toTwo.ciphertext).toString()).toBe("a");
    expect(one.decrypt("two", toOne.type, toOne.ciphertext).toString()).toBe("a");
    crossing = [one.encrypt("two", text("a")), two.encrypt("one", text("a"))];
  }
  expect(crossing.map(({ type }) => type)).toEqual(["msg", "msg"]);
});

test("whatever is sent, in whatever order it arrives, whatever is lost: what arrives is read", async () => {
  const step = fc.record({
    by: fc.constantFrom("hub" as const, "contact" as const),
    what: fc.constantFrom(
      "send" as const,
      "send" as const,
      "deliver" as const,
      "deliver" as const,
      "lose" as const,
    ),
    which: fc.nat(),
  });
  const talk = async (
    steps: { by: "hub" | "contact"; what: "send" | "deliver" | "lose"; which: number }[],
  ) => {
    const { hub, contact } = await acquainted();
    const underway = { hub: [] as Letter[], contact: [] as Letter[] };
    const deliver = async (by: "hub" | "contact", letter: Letter) =>
      expect(by === "hub" ? contact.read(letter) : await hub.reads(letter)).toBe(letter.text);

    for (const [n, { by, what, which }] of steps.entries()) {
      if (what === "send") {
        const said = `${by} ${n}`;
        const letter = by === "hub" ? await hub.writes(said) : contact.encrypt(HUB, text(said));
        underway[by].push({ ...letter, text: said });
        continue;
      }
      const [letter] = underway[by].splice(which % Math.max(underway[by].length, 1), 1);
      if (letter && what === "deliver") await deliver(by, letter);
    }
    for (const by of ["hub", "contact"] as const)
      for (const letter of underway[by]) await deliver(by, letter);
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), talk), {
    numRuns: 20,
  });
});

test("three hundred messages to and fro", async () => {
  const { hub, contact } = await acquainted();
  for (let n = 0; n < 150; n++) {
    expect(await hub.reads(contact.encrypt(HUB, text(`c${n}`)))).toBe(`c${n}`);
    expect(contact.read(await hub.writes(`h${n}`))).toBe(`h${n}`);
  }
});

test("a message that was tampered with or read before is refused, and the next one is read", async () => {
  const { hub, contact } = await acquainted();
  const message = await hub.writes("uno");
  for (const at of [5, 30, message.ciphertext.length - 20, message.ciphertext.length - 1]) {
    const ciphertext = Buffer.from(message.ciphertext);
    ciphertext.writeUInt8(ciphertext.readUInt8(at) ^ 1, at);
    expect(() => contact.read({ ...message, ciphertext })).toThrow();
  }
  expect(contact.read(message)).toBe("uno");
  expect(() => contact.read(message)).toThrow("none of 1 sessions");
  expect(contact.read(await hub.writes("dos"))).toBe("dos");
  expect(await hub.reads(contact.encrypt(HUB, text("tres")))).toBe("tres");
});

test("after a retry receipt a fresh session is written to, while the old one is still read", async () => {
  const { hub, contact } = await acquainted();
  const late = await hub.writes("por el viejo");
  contact.retire(HUB);
  expect(contact.hasSession(HUB)).toBe(false);

  const again = contact.encrypt(HUB, text("otra vez"), await hub.bundle(2));
  expect(again.type).toBe("pkmsg");
  expect(contact.read(late)).toBe("por el viejo");
  expect(contact.encrypt(HUB, text("x")).type).toBe("pkmsg");
  expect(await hub.reads(again)).toBe("otra vez");
  expect(contact.read(await hub.writes("por el nuevo"))).toBe("por el nuevo");
  expect(contact.encrypt(HUB, text("y")).type).toBe("msg");
});

test("a contact that forgot the hub reads nothing of it before the hub has started anew", async () => {
  const { hub, contact } = await acquainted();
  contact.forget(HUB);
  const lost = await hub.writes("uno");
  expect(() => contact.read(lost)).toThrow("none of 0 sessions");
  await hub.knows(contact.bundle());
  expect(contact.read(await hub.writes("dos"))).toBe("dos");
});

test("padding is of 1 to 16 bytes and comes off again", () => {
  const message = text("hola");
  for (let length = 1; length <= 16; length++) {
    const padded = padMessage(message, length);
    expect(padded.length).toBe(message.length + length);
    expect(unpadMessage(padded)).toEqual(message);
  }
  expect(() => unpadMessage(Buffer.from([1, 2, 9]))).toThrow("padding");
});

type Letter = Ciphertext & { text: string };

const text = (said: string) => Buffer.from(said);

function stranger() {
  const party = createParty();
  const read = ({ type, ciphertext }: Ciphertext) => party.decrypt(HUB, type, ciphertext).toString();
  return { ...party, read };
}

const strangers = async () => ({ hub: await aBaileysSignal(), contact: stranger() });

/** A hub and a contact that have already heard of each other. */
async function acquainted() {
  const { hub, contact } = await strangers();
  await hub.reads(contact.encrypt(HUB, text("hola"), await hub.bundle(1)));
  contact.read(await hub.writes("buenas"));
  return { hub, contact };
}
