import { describe, expect, test } from "vitest";
import type { Cipher } from "../../hub/core/cipher.ts";
import type { Fact } from "../../hub/core/facts.ts";
import type { RatchetStep } from "../../hub/core/store.ts";
import { createKeyStore, intakeKey } from "../../hub/whatsapp/auth-state.ts";
import { addTransactionCapability, type BinaryNode } from "../../hub/whatsapp/baileys.ts";
import { createBaileysLog } from "../../hub/whatsapp/baileys-log.ts";
import { createGeneration, GenerationEnded } from "../../hub/whatsapp/generation.ts";
import { createInFlightStanzas, isComplete } from "../../hub/whatsapp/in-flight.ts";
import { createJournal } from "../../hub/whatsapp/journal.ts";
import { gateOutgoing } from "../../hub/whatsapp/outgoing-gate.ts";
import { readStanza } from "../../hub/whatsapp/stanza-form.ts";

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Binds bytes to their place like the real one, without its keys. */
const cipher: Cipher = {
  seal: (place, plain) => Buffer.concat([Buffer.from(`${place}\n`), plain]),
  open: (place, sealed) => {
    const head = Buffer.from(`${place}\n`);
    if (!Buffer.from(sealed).subarray(0, head.length).equals(head)) throw new Error("moved to another place");
    return Buffer.from(sealed).subarray(head.length);
  },
};

function aJournal() {
  const rows = new Map<string, Uint8Array>();
  const steps: RatchetStep[] = [];
  const records: { facts: Fact[]; closes: Uint8Array[] }[] = [];
  const generation = createGeneration();
  let failure: Error | null = null;
  let readFailure: Error | null = null;
  const journal = createJournal({
    sessionId: "s1",
    auth: {
      commit: (_sessionId, step) => {
        if (failure !== null) return Promise.reject(failure);
        steps.push(step);
        for (const { type, id, value } of step.keys)
          if (value === null) rows.delete(`${type} ${id}`);
          else rows.set(`${type} ${id}`, value);
        return Promise.resolve();
      },
    },
    cipher,
    record: ({ facts, closes }) => {
      records.push({ facts, closes });
      return Promise.resolve({ messages: [], lastSeq: null });
    },
    creds: () => Buffer.from("{}"),
    fingerprint: "f1",
    generation,
    crashPoint: () => undefined,
  });
  const unreadable: string[] = [];
  const mappings: { lid: string; phone: string }[] = [];
  const keys = createKeyStore({
    sessionId: "s1",
    auth: {
      keys: (_sessionId, type, ids) => {
        if (readFailure !== null) return Promise.reject(readFailure);
        const found = ids.flatMap((id): [string, Uint8Array][] => {
          const row = rows.get(`${type} ${id}`);
          return row === undefined ? [] : [[id, row]];
        });
        return Promise.resolve(new Map(found));
      },
    },
    cipher,
    journal,
    generation,
    onMapping: (pair) => void mappings.push(pair),
    onUnreadable: (kind) => void unreadable.push(kind),
  });
  return {
    journal,
    keys,
    generation,
    steps,
    records,
    rows,
    mappings,
    unreadable,
    cannotRead: (cause: Error) => {
      readFailure = cause;
    },
    fail: (cause: Error) => {
      failure = cause;
    },
  };
}

const read = (id: string): Fact => ({ kind: "chat-read", jid: id });

const stanzaNode = (id: string, ciphers: string[]): BinaryNode => ({
  tag: "message",
  attrs: { id, from: "111@lid", t: "1", notify: "Ana" },
  content: [
    ...ciphers.map((text) => ({ tag: "enc", attrs: { v: "2", type: "msg" }, content: Buffer.from(text) })),
    { tag: "device-identity", attrs: {}, content: Buffer.alloc(300) },
  ],
});

describe("the journal", () => {
  test("what waits is read back, and goes to disk together: keys first, then facts", async () => {
    const { journal, keys, steps, records } = aJournal();
    await keys.set({ "lid-mapping": { "34": "111" } });
    journal.putFacts({ facts: [read("a")], closes: [] });
    await keys.set({ "lid-mapping": { "34": "222" }, "device-list": { "34": ["0", "3"] } });
    journal.putFacts({ facts: [read("b")], closes: [Buffer.of(1)] });
    expect(await keys.get("lid-mapping", ["34"])).toEqual({ "34": "222" });
    expect(steps).toEqual([]);
    await journal.flush();
    expect(steps).toHaveLength(1);
    expect(steps[0]?.keys.map(({ type, id }) => `${type} ${id}`)).toEqual([
      "lid-mapping 34",
      "device-list 34",
    ]);
    expect(records).toEqual([{ facts: [read("a"), read("b")], closes: [Buffer.of(1)] }]);
    expect(await keys.get("lid-mapping", ["34"])).toEqual({ "34": "222" });
  });

  test("what may be a repeat is recorded by itself", async () => {
    const { journal, records } = aJournal();
    journal.putFacts({ facts: [read("a")], closes: [Buffer.of(1)] });
    journal.putFacts({ facts: [read("b")], closes: [Buffer.of(2)], again: true });
    journal.putFacts({ facts: [read("c")], closes: [] });
    journal.putFacts({ facts: [read("d")], closes: [] });
    await journal.flush();
    expect(records.map(({ facts }) => facts)).toEqual([[read("a")], [read("b")], [read("c"), read("d")]]);
  });

  test("a store that fails fences: nothing is written or read after it", async () => {
    const { journal, keys, generation, fail, records } = aJournal();
    const causes: unknown[] = [];
    generation.onFence((cause) => void causes.push(cause));
    const full = new Error("disk full");
    fail(full);
    await keys.set({ "lid-mapping": { "34": "111" } });
    journal.putFacts({ facts: [read("a")], closes: [] });
    await expect(journal.flush()).rejects.toBe(full);
    expect(causes).toEqual([full]);
    expect(records).toEqual([]);
    await expect(Promise.resolve(keys.get("lid-mapping", ["34"]))).rejects.toBeInstanceOf(GenerationEnded);
    expect(() => keys.set({ "lid-mapping": { "34": "111" } })).toThrow(GenerationEnded);
    journal.putFacts({ facts: [read("b")], closes: [] });
    expect(records).toEqual([]);
  });

  test("a key that does not open, or is not what was sealed, counts as absent, is told once and stays", async () => {
    const { keys, generation, rows, unreadable } = aJournal();
    rows.set("session 1.0", Buffer.from("key|session|2.0\n{}"));
    rows.set("session 2.0", Buffer.from('key|session|2.0\n{"_sess'));
    rows.set("session 3.0", Buffer.from("key|session|3.0\n{}"));
    expect(await keys.get("session", ["1.0", "2.0", "3.0"])).toEqual({ "3.0": {} });
    expect(await keys.get("session", ["1.0"])).toEqual({});
    expect(unreadable).toEqual(["session", "session"]);
    expect(generation.isFenced()).toBe(false);
    expect(rows.size).toBe(3);
  });

  test("keys that cannot be read from the disk fence: they are not absent", async () => {
    const { keys, generation, cannotRead } = aJournal();
    cannotRead(new Error("disk gone"));
    await expect(Promise.resolve(keys.get("session", ["1.0"]))).rejects.toThrow("disk gone");
    expect(generation.isFenced()).toBe(true);
  });

  test("a stanza joins the transaction of the ratchet step that decrypted it, or none", async () => {
    const { journal, keys, steps } = aJournal();
    const stanzas = createInFlightStanzas("s1");
    const node = stanzaNode("3A01", ["secret"]);
    const stanza = stanzas.add(node, new Date(0));
    const [part] = stanza.parts;
    const transactional = addTransactionCapability(keys, createBaileysLog(log, "s1"), {
      maxCommitRetries: 1,
      delayBetweenTriesMs: 10,
    });
    const step = (work: () => void): Promise<void> =>
      transactional.transaction(async () => {
        await transactional.set({ session: { "111_1.0": Object.assign(new Uint8Array(), {}) } });
        if (part !== undefined) part.plain = Buffer.from("hola");
        await transactional.set(intakeKey(stanza));
        work();
      }, "lock");
    await expect(
      step(() => {
        throw new Error("Bad MAC");
      }),
    ).rejects.toThrow("Bad MAC");
    expect(journal.written).toBe(0);
    await step(() => undefined);
    await journal.flush();
    expect(steps).toHaveLength(1);
    expect(steps[0]?.keys.map(({ type }) => type)).toEqual(["session"]);
    expect(steps[0]?.intake).toMatchObject([{ stanzaId: "3A01", chat: "111@lid", participant: "" }]);
    expect(steps[0]?.intake[0]?.plaintexts).toHaveLength(1);
  });

  test("both addresses of a person are noticed where Baileys stores them", async () => {
    const { keys, mappings } = aJournal();
    await keys.set({ "lid-mapping": { "34600111222": "111222", "111222_reverse": "34600111222" } });
    expect(mappings).toEqual([{ lid: "111222@lid", phone: "34600111222@s.whatsapp.net" }]);
  });
});

describe("the gate", () => {
  test("no frame overtakes the disk, none overtakes another, and Baileys need not wait", async () => {
    const { journal } = aJournal();
    const left: unknown[] = [];
    const socket = { send: (data: unknown) => void left.push(data), terminate: () => undefined };
    gateOutgoing(socket, journal);
    socket.send("free");
    expect(left).toEqual(["free"]);
    journal.putFacts({ facts: [read("a")], closes: [] });
    let told = 0;
    (socket as { send(data: unknown, callback?: () => void): void }).send("receipt a", () => told++);
    socket.send("second");
    expect([left, told]).toEqual([["free"], 1]);
    await journal.flush();
    expect(left).toEqual(["free", "receipt a", "second"]);
  });

  test("shut, it lets nothing out", async () => {
    const { journal } = aJournal();
    const left: unknown[] = [];
    const socket = { send: (data: unknown) => void left.push(data), terminate: () => undefined };
    const gate = gateOutgoing(socket, journal);
    journal.putFacts({ facts: [read("a")], closes: [] });
    socket.send("receipt a");
    gate.shut();
    socket.send("later");
    await journal.flush();
    expect(left).toEqual([]);
  });
});

describe("stanzas in flight", () => {
  test("each session, stanza and ciphertext has an identity of its own, and the same again the same", () => {
    const identity = (sessionId: string, id: string, cipher: string): string =>
      Buffer.from(
        createInFlightStanzas(sessionId).add(stanzaNode(id, [cipher]), new Date(0)).digest,
      ).toString("hex");
    expect(identity("s1", "3A", "x")).toBe(identity("s1", "3A", "x"));
    const all = [
      identity("s1", "3A", "x"),
      identity("s2", "3A", "x"),
      identity("s1", "3B", "x"),
      identity("s1", "3A", "y"),
    ];
    expect(new Set(all).size).toBe(4);
  });

  test("a kept stanza holds what is not decrypted yet, and no more", () => {
    const stanza = createInFlightStanzas("s1").add(stanzaNode("3A", ["one", "two"]), new Date(0));
    const [first, second] = stanza.parts;
    if (first === undefined || second === undefined) throw new Error("two parts expected");
    first.plain = Buffer.from("decrypted");
    const { journal } = aJournal();
    journal.putStanza(stanza);
    expect(isComplete(stanza)).toBe(false);
    expect(Buffer.from(journal.plaintext(first.encId) ?? []).toString()).toBe("decrypted");
    expect(journal.plaintext(second.encId)).toBeNull();
  });

  test("what is written can be read again", async () => {
    const { journal, steps } = aJournal();
    const stanza = createInFlightStanzas("s1").add(stanzaNode("3A", ["one", "two"]), new Date(0));
    if (stanza.parts[0] !== undefined) stanza.parts[0].plain = Buffer.from("decrypted");
    journal.putStanza(stanza);
    await journal.flush();
    const entry = steps[0]?.intake[0];
    const place = `intake|${Buffer.from(stanza.digest).toString("hex")}`;
    const { node, encIds, hasCiphertext } = readStanza(cipher.open(place, entry?.stanza ?? Buffer.alloc(0)));
    expect(node.attrs).toEqual({ id: "3A", from: "111@lid", t: "1", notify: "Ana" });
    expect(encIds.map((id) => Buffer.from(id))).toEqual(stanza.parts.map((part) => Buffer.from(part.encId)));
    expect(hasCiphertext).toBe(false);
    const contents = Array.isArray(node.content)
      ? node.content.map(({ content }) => Buffer.from(content as Uint8Array).toString())
      : [];
    expect(contents).toEqual(["", "two"]);
  });
});
