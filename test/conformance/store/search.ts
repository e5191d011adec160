/** Search: the words of messages, as people type them. */
import { expect, test } from "vitest";
import type { MessageQuery } from "../../../hub/core/store.ts";
import { aMessageFact, aNewSession, T0_SECONDS } from "../../support/builders.ts";
import type { World, Worlds } from "./world.ts";

const ANA = "34600111222@s.whatsapp.net";
const ANA_LID = "111222@lid";
const EVA = "34600333444@s.whatsapp.net";

const finder =
  ({ store }: World) =>
  async (search: string, more: Partial<MessageQuery> = {}) => {
    const query = { sessionId: "s1", order: "asc" as const, limit: 50, page: 1, search, ...more };
    const { items, total } = await store.inbox.messages(query);
    expect(total).toBe(items.length);
    return items.map(({ id }) => id);
  };

const texts = (...contents: string[]) =>
  contents.map((content, n) =>
    aMessageFact({ id: `M${n}`, chatId: ANA, content, timestamp: T0_SECONDS + n }),
  );

export function search(world: Worlds): void {
  test("all words must occur, whatever their case and accents; the last may be a beginning", async () => {
    const made = await world();
    const found = finder(made);
    await made.record(texts("El pedido ya salió", "¿Cuándo llega mi PEDIDO?", "Gracias", "pedidos: 3"));
    expect(await found("pedido")).toEqual(["M0", "M1", "M3"]);
    expect(await found("pedido llega")).toEqual(["M1"]);
    expect(await found("SALIO")).toEqual(["M0"]);
    expect(await found("cuand")).toEqual(["M1"]);
    expect(await found("pedi ya")).toEqual([]);
    expect(await found("pedido", { order: "desc" })).toEqual(["M3", "M1", "M0"]);
  });

  test("a beginning finds every word it begins, few or many of them, as the index spells it", async () => {
    const made = await world();
    const found = finder(made);
    const page = { limit: 1000 };
    await made.record(
      texts(
        ...["Cañón", "canonazo", "CANONES de", "cano", "con"],
        ...Array.from({ length: 300 }, (_, n) => `factura${n} pagada`),
      ),
    );
    expect(await found("canon")).toEqual(["M0", "M1", "M2"]);
    expect(await found("cañón")).toEqual(["M0", "M1", "M2"]);
    expect(await found("CANONE")).toEqual(["M2"]);
    expect(await found("canoa")).toEqual([]);
    expect(await found("factura", page)).toHaveLength(300);
    expect(await found("factura1", page)).toHaveLength(111);
    expect(await found("pagada factura29", page)).toEqual([
      "M34",
      ...Array.from({ length: 10 }, (_, n) => `M${295 + n}`),
    ]);
    expect(await found("factura pagada", page)).toEqual([]);
    // What people write and what the index takes for one word differ here and there.
    await made.record(aMessageFact({ id: "X", chatId: ANA, content: "precio x²yz ©️abcd Straße ﬁnal" }));
    for (const word of ["x²yz", "abcd", "Straße", "straß", "ﬁnal"]) expect(await found(word)).toEqual(["X"]);
  });

  test("operators are plain text: nothing a person types is an error, or finds what it should not", async () => {
    const made = await world();
    const found = finder(made);
    await made.record(
      texts("100% sure", "not sure", "cats AND dogs", 'she said "no"', "a NEAR miss", "x^2 + y*3"),
    );
    const typed = [
      ...[
        "100%",
        '"no"',
        '"',
        '""',
        "'",
        "sure OR cats",
        "cats AND dogs",
        "NOT sure",
        "NEAR(a miss)",
        "*",
        "x^2",
      ],
      ...[
        "words:sure",
        "message_words:sure",
        "{words} : sure",
        "- sure",
        "(sure",
        "sure)",
        "+y",
        "\uE000s1",
        "%",
        "_",
      ],
      ...["😀", "\u0000", "a".repeat(5000), "b ".repeat(500), "\uD800"],
    ];
    const answers: Record<string, string[]> = {};
    for (const text of typed) answers[text.slice(0, 20)] = await found(text);
    expect(answers).toMatchObject({
      "100%": ["M0"],
      '"no"': ["M3"],
      '"': [],
      "sure OR cats": [],
      "cats AND dogs": ["M2"],
      "NOT sure": ["M1"],
      "NEAR(a miss)": ["M4"],
      "x^2": ["M5"],
      "words:sure": [],
      "- sure": ["M0", "M1"],
      "(sure": ["M0", "M1"],
      "*": [],
      "%": [],
      "\uE000s1": [],
      "😀": [],
    });
  });

  test("finds within one session, or one chat, and never beyond", async () => {
    const made = await world();
    const found = finder(made);
    await made.store.sessions.create(aNewSession({ sessionId: "s2" }));
    await made.record([
      aMessageFact({ id: "A", chatId: ANA, content: "hola", timestamp: 1 }),
      aMessageFact({ id: "B", chatId: EVA, content: "hola", timestamp: 2 }),
    ]);
    await made.record(aMessageFact({ id: "C", chatId: ANA, content: "hola" }), { sessionId: "s2" });
    expect(await found("hola")).toEqual(["A", "B"]);
    expect(await found("hola", { chatId: EVA })).toEqual(["B"]);
    expect(await found("hola", { sessionId: "s2" })).toEqual(["C"]);
    expect(await found("hola", { chatId: "34699999999@s.whatsapp.net" })).toEqual([]);
  });

  test("is narrowed by time, kind and direction, and counts what it shows", async () => {
    const made = await world();
    await made.record([
      aMessageFact({ id: "A", content: "hola", timestamp: 100 }),
      aMessageFact({ id: "B", content: "hola", timestamp: 200, type: "image" }),
      aMessageFact({ id: "C", content: "hola", timestamp: 300, fromMe: true, status: "sent" }),
    ]);
    const found = finder(made);
    expect(await found("hola", { since: 200 })).toEqual(["B", "C"]);
    expect(await found("hola", { until: 200 })).toEqual(["A", "B"]);
    expect(await found("hola", { since: 101, until: 299, type: "image" })).toEqual(["B"]);
    expect(await found("hola", { type: "image2" })).toEqual([]);
    expect(await found("hola", { type: "video", fromMe: false })).toEqual([]);
    expect(await found("hola", { since: -5, until: 1e15, fromMe: true })).toEqual(["C"]);
  });

  test("follows edits, chats that become one, and what is indexed twice", async () => {
    const made = await world();
    const { record, store } = made;
    const found = finder(made);
    await record([
      aMessageFact({ id: "A", chatId: ANA_LID, content: "first" }),
      aMessageFact({ id: "B", chatId: ANA, content: "first", timestamp: T0_SECONDS + 1 }),
    ]);
    expect(await found("first", { chatId: ANA })).toEqual(["B"]);
    await record({ kind: "lid", lid: ANA_LID, phone: ANA });
    expect(await found("first", { chatId: ANA })).toEqual(["A", "B"]);
    await record({
      kind: "edit",
      target: { chatId: ANA, id: "A" },
      content: "second",
      at: T0_SECONDS + 9,
      raw: null,
    });
    expect(await found("first")).toEqual(["B"]);
    expect(await found("second")).toEqual(["A"]);
    expect(await store.inbox.indexWords(100)).toBe(0);
  });

  test("finds a message that got the number of one that is gone", async () => {
    const made = await world();
    const found = finder(made);
    await made.record(aMessageFact({ id: "X", chatId: ANA, content: "uno" }));
    await made.record(aMessageFact({ id: "X", chatId: ANA_LID, content: "uno" }));
    expect(await found("uno")).toEqual(["X", "X"]);
    // The copy that came last is the one that goes.
    await made.record({ kind: "lid", lid: ANA_LID, phone: ANA });
    await made.record(aMessageFact({ id: "Y", chatId: ANA, content: "dos" }));
    expect(await found("uno")).toEqual(["X"]);
    expect(await found("dos")).toEqual(["Y"]);
  });

  test("pages by cursor in the order of time, each once, while new ones arrive", async () => {
    const made = await world();
    const { record, store } = made;
    // Stored newest first, as history comes.
    await record(
      Array.from({ length: 7 }, (_, n) =>
        aMessageFact({ id: `M${n}`, chatId: ANA, content: `hola ${n}`, timestamp: T0_SECONDS - n }),
      ),
    );
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.inbox.messages({
        ...{ sessionId: "s1", order: "desc" as const, limit: 3, page: 1, search: "hola", cursor },
      });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
      await record(aMessageFact({ chatId: ANA, content: "hola", timestamp: T0_SECONDS + 1 }));
    } while (cursor !== undefined);
    expect(seen).toEqual(["M0", "M1", "M2", "M3", "M4", "M5", "M6"]);
  });
}
