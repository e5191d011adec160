/** The emulator's sender keys against those of Baileys: group messages both ways. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { aBaileysSignal, GROUP, HUB } from "../support/baileys-signal.ts";
import { createParty } from "../whatsapp/signal/party.ts";

// Only forward: Baileys keeps the keys of skipped group messages in a form that it cannot use.
test("the hub reads a contact's messages, whichever of them are lost", async () => {
  const { hub, contact } = await members();
  await hub.acceptsSenderKey(contact.senderKeyDistribution(GROUP));
  for (let n = 0; n < 40; n++) {
    const letter = contact.encryptGroup(GROUP, text(`g${n}`));
    const isLost = n % 7 === 3 || (n > 20 && n < 30);
    if (!isLost) expect(await hub.readsGroup(letter)).toBe(`g${n}`);
  }
});

test("our own devices read each other's messages in any order", () => {
  const one = createParty();
  const distribution = one.senderKeyDistribution(GROUP);
  const letters = Array.from({ length: 40 }, (_, n) => ({
    n,
    bytes: one.encryptGroup(GROUP, text(`g${n}`)),
  }));
  fc.assert(
    fc.property(fc.shuffledSubarray(letters, { minLength: 40 }), (order) => {
      const two = createParty();
      two.acceptSenderKeyDistribution(GROUP, "one", distribution);
      for (const { n, bytes } of order) {
        expect(two.decryptGroup(GROUP, "one", bytes).toString()).toBe(`g${n}`);
      }
    }),
    { numRuns: 10 },
  );
});

test("a contact reads the hub's messages in any order, though the hub counts 0, 2, 4", async () => {
  const { hub, contact } = await members();
  const letters: Uint8Array[] = [];
  for (let n = 0; n < 20; n++) {
    const { ciphertext, senderKeyDistributionMessage } = await hub.writesGroup(`g${n}`);
    if (n === 0) contact.acceptSenderKeyDistribution(GROUP, HUB, senderKeyDistributionMessage);
    letters.push(ciphertext);
  }
  for (const [n, letter] of [...letters.entries()].reverse()) {
    expect(contact.decryptGroup(GROUP, HUB, letter).toString()).toBe(`g${n}`);
    expect(() => contact.decryptGroup(GROUP, HUB, letter)).toThrow("read before");
  }
});

test("a sender key told again changes nothing for who had it, and serves who had not", async () => {
  const { hub, contact } = await members();
  const newcomer = createParty();
  const early = await hub.writesGroup("uno");
  contact.acceptSenderKeyDistribution(GROUP, HUB, early.senderKeyDistributionMessage);
  const late = await hub.writesGroup("dos");
  contact.acceptSenderKeyDistribution(GROUP, HUB, late.senderKeyDistributionMessage);
  newcomer.acceptSenderKeyDistribution(GROUP, HUB, late.senderKeyDistributionMessage);
  expect(contact.decryptGroup(GROUP, HUB, late.ciphertext).toString()).toBe("dos");
  expect(contact.decryptGroup(GROUP, HUB, early.ciphertext).toString()).toBe("uno");
  expect(newcomer.decryptGroup(GROUP, HUB, late.ciphertext).toString()).toBe("dos");
  expect(() => newcomer.decryptGroup(GROUP, HUB, early.ciphertext)).toThrow("read before");
});

test("after a rotation the hub needs the new sender key, and still reads what the old one sent", async () => {
  const { hub, contact } = await members();
  await hub.acceptsSenderKey(contact.senderKeyDistribution(GROUP));
  const old = contact.encryptGroup(GROUP, text("viejo"));
  contact.rotateSenderKey(GROUP);
  const distribution = contact.senderKeyDistribution(GROUP);
  const fresh = contact.encryptGroup(GROUP, text("nuevo"));
  await expect(hub.readsGroup(fresh)).rejects.toThrow("No session found");
  await hub.acceptsSenderKey(distribution);
  expect(await hub.readsGroup(fresh)).toBe("nuevo");
  expect(await hub.readsGroup(old)).toBe("viejo");
});

test("a group message whose signature is wrong is refused", async () => {
  const { hub, contact } = await members();
  const { ciphertext, senderKeyDistributionMessage } = await hub.writesGroup("uno");
  contact.acceptSenderKeyDistribution(GROUP, HUB, senderKeyDistributionMessage);
  const forged = Buffer.from(ciphertext);
  forged.writeUInt8(forged.readUInt8(forged.length - 10) ^ 1, forged.length - 10);
  expect(() => contact.decryptGroup(GROUP, HUB, forged)).toThrow("wrong signature");
  expect(contact.decryptGroup(GROUP, HUB, ciphertext).toString()).toBe("uno");
});

const text = (said: string) => Buffer.from(said);

const members = async () => ({ hub: await aBaileysSignal(), contact: createParty() });
