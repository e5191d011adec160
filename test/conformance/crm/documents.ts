/** Records as documents: filters, fields, order, pages, and what is refused. */
import { expect, test } from "vitest";
import type { DocumentQuery, DocumentReader } from "../../../bridge/adapter.ts";
import { aContact, aMessage, anImage, ANA, EVA, NOW } from "./records.ts";
import type { CrmWorlds } from "./world.ts";

const DOCTYPE = "WhatsApp Message";
type Filters = DocumentQuery["filters"];

const query = (change: Partial<DocumentQuery> = {}): DocumentQuery => ({
  doctype: DOCTYPE,
  fields: ["message_id"],
  filters: [],
  orderBy: [{ field: "timestamp", direction: "asc" }],
  start: 0,
  limit: 100,
  ...change,
});

/** Four messages in their order: A "hola" and D "" incoming, B "100% sure" and C "Hola otra vez" of our own. */
async function withMessages(world: CrmWorlds): Promise<DocumentReader> {
  const { adapter, messages } = await world();
  await messages([
    aMessage({ messageId: "A", timestamp: NOW, content: "hola" }),
    aMessage({ messageId: "B", timestamp: NOW + 1, content: "100% sure", fromMe: true, status: "read" }),
    aMessage({
      messageId: "C",
      timestamp: NOW + 2,
      content: "Hola otra vez",
      fromMe: true,
      status: "failed",
    }),
    aMessage({ messageId: "D", timestamp: NOW + 3, content: "", chatId: EVA, ...anImage({ filesize: 5 }) }),
  ]);
  if (adapter.documents === undefined) throw new Error("the adapter serves no documents");
  return adapter.documents;
}

export function documents(world: CrmWorlds): void {
  const cases: [filters: Filters, ids: string][] = [
    [[["status", "=", "Read"]], "B"],
    [[["status", "!=", "Read"]], "ACD"],
    [[["sent_at", "!=", "2020-01-01 00:00:00"]], "ABCD"],
    [[["from_me", "=", 1]], "BC"],
    [[["from_me", "=", "1"]], "BC"],
    [[["from_me", "=", true]], "BC"],
    [[["from_me", ">", 0]], "BC"],
    [[["from_me", "<", 1]], "AD"],
    [[["timestamp", ">", "2026-01-31 10:00:01"]], "CD"],
    [[["timestamp", ">=", "2026-01-31T10:00:01.000Z"]], "BCD"],
    [[["timestamp", "<", "2026-01-31 10:00:01.000000"]], "A"],
    [[["timestamp", "<=", "2026-01-31 10:00:01"]], "AB"],
    [[["timestamp", ">", "2026-02-01"]], ""],
    [[["timestamp", "between", ["2026-01-31 10:00:01", "2026-01-31 10:00:02"]]], "BC"],
    [[["timestamp", "between", ["2026-01-30", "2026-01-31"]]], "ABCD"],
    [[["content", "like", "%hola%"]], "AC"],
    [[["content", "like", "h_la"]], "A"],
    [[["content", "like", "%0\\%%"]], ""],
    [[["content", "like", "%a%v%z"]], "C"],
    [[["content", "not like", "%hola%"]], "BD"],
    [[["status", "in", ["Read", "Failed"]]], "BC"],
    [[["status", "in", "Read, Failed"]], "BC"],
    [[["status", "in", []]], ""],
    [[["status", "not in", ["Read", "Failed"]]], "AD"],
    [[["sent_at", "is", "set"]], "BC"],
    [[["sent_at", "is", "not set"]], "AD"],
    [[["content", "is", "not set"]], "D"],
    [[["content", "=", ""]], "D"],
    [[["content", "!=", null]], "ABC"],
    [[["content", "=", "' OR '1'='1"]], ""],
    [
      [
        ["from_me", "=", 1],
        ["status", "=", "Failed"],
      ],
      "C",
    ],
  ];

  test.each(cases)("filters %j find %s", async (filters, ids) => {
    const reader = await withMessages(world);
    const found = await reader.list(query({ filters }));
    expect(found.map((row) => row["message_id"]).join("")).toBe(ids);
    expect(await reader.count({ doctype: DOCTYPE, filters })).toBe(ids.length);
  });

  /** Contents under the ids a, b, c …, in their order. */
  async function withContents(contents: string[]): Promise<DocumentReader> {
    const { adapter, messages } = await world();
    await messages(
      contents.map((content, n) =>
        aMessage({ messageId: String.fromCharCode(97 + n), timestamp: NOW + n, content }),
      ),
    );
    if (adapter.documents === undefined) throw new Error("the adapter serves no documents");
    return adapter.documents;
  }

  test.each([
    ["%GARCÍA%", "abc"],
    ["%garcía%", "abc"],
    ["garcÍa", "ab"],
    ["%ñ_", "dgh"],
    ["%ПРИВЕТ", "e"],
    ["%*ñ%", "f"],
    ["%[ñ]%", "g"],
    ["ñ?", "h"],
    ["%garcia%", ""],
    ["%straße%", ""],
  ])("letters beyond ASCII are found in either case: like %s", async (pattern, ids) => {
    const reader = await withContents([
      ...["García", "GARCÍA", "la señora garcía"],
      ...["ESPAÑA", "привет", "5*Ñ", "x[Ñ]", "Ñ?", "strasse"],
    ]);
    const filters: Filters = [["content", "like", pattern]];
    const found = await reader.list(query({ filters }));
    expect(found.map((row) => row["message_id"]).join("")).toBe(ids);
    const others = await reader.list(query({ filters: [["content", "not like", pattern]] }));
    expect(others).toHaveLength(9 - ids.length);
  });

  test("every record has Frappe's standard fields, the same for all, to be shown, compared and ordered by", async () => {
    const reader = await withMessages(world);
    const standard = { owner: "Administrator", modified_by: "Administrator", docstatus: 0, idx: 0 };
    const fields = Object.keys(standard);
    const orderBy = [
      { field: "docstatus", direction: "asc" as const },
      { field: "timestamp", direction: "desc" as const },
    ];
    expect(await reader.list(query({ fields, orderBy, limit: 1 }))).toEqual([standard]);
    const ids = async (filters: Filters): Promise<string> =>
      (await reader.list(query({ filters, orderBy }))).map((row) => row["message_id"]).join("");
    expect(await ids([["docstatus", "<", 2]])).toBe("DCBA");
    expect(await ids([["owner", "like", "admin%"]])).toBe("DCBA");
    expect(await ids([["docstatus", "=", 1]])).toBe("");
    expect(await ids([["modified_by", "not in", ["Administrator"]]])).toBe("");
    expect(await reader.count({ doctype: DOCTYPE, filters: [["idx", "=", 0]] })).toBe(4);
    const [row] = await reader.list(query({ fields: ["name"], filters: [["message_id", "=", "D"]] }));
    expect(await reader.get(DOCTYPE, String(row?.["name"]))).toMatchObject({
      ...standard,
      media_items: [{ owner: "Administrator", idx: 1 }],
    });
  });

  const either: [filters: Filters, orFilters: Filters, ids: string][] = [
    [
      [],
      [
        ["message_id", "=", "A"],
        ["status", "=", "Failed"],
      ],
      "AC",
    ],
    [
      [["from_me", "=", 1]],
      [
        ["content", "like", "%hola%"],
        ["content", "=", ""],
      ],
      "C",
    ],
    [[["from_me", "=", 1]], [], "BC"],
    [
      [
        ["status", "=", "Read"],
        ["from_me", "=", 1],
      ],
      [["message_id", "=", "D"]],
      "",
    ],
  ];
  test.each(either)("beside %j one of %j finds %s", async (filters, orFilters, ids) => {
    const reader = await withMessages(world);
    const found = await reader.list(query({ filters, orFilters }));
    expect(found.map((row) => row["message_id"]).join("")).toBe(ids);
    expect(await reader.count({ doctype: DOCTYPE, filters, orFilters })).toBe(ids.length);
  });

  test("a list has the fields asked for, its names when none are, and all for *", async () => {
    const reader = await withMessages(world);
    const filters: Filters = [["message_id", "=", "B"]];
    expect(await reader.list(query({ filters, fields: ["status", "from_me"] }))).toEqual([
      { status: "Read", from_me: 1 },
    ]);
    const [named] = await reader.list(query({ filters, fields: [] }));
    expect(named).toEqual({ name: expect.any(String) as unknown });
    const [all] = await reader.list(query({ filters, fields: ["*"] }));
    expect(all).toMatchObject({
      message_id: "B",
      content: "100% sure",
      sent_at: "2026-01-31 10:00:01.000000",
    });
    for (const inner of ["position", "status_position", "reactions", "n"])
      expect(all).not.toHaveProperty(inner);
  });

  test("a list comes in the order asked for, in pages that neither skip nor repeat", async () => {
    const reader = await withMessages(world);
    const ids = async (change: Partial<DocumentQuery>): Promise<string> =>
      (await reader.list(query(change))).map((row) => row["message_id"]).join("");
    expect(await ids({ orderBy: [{ field: "timestamp", direction: "desc" }] })).toBe("DCBA");
    expect(
      await ids({
        orderBy: [
          { field: "from_me", direction: "desc" },
          { field: "timestamp", direction: "asc" },
        ],
      }),
    ).toBe("BCAD");
    expect(await ids({ limit: 2 })).toBe("AB");
    expect(await ids({ start: 2, limit: 2 })).toBe("CD");
    expect(await ids({ start: 4, limit: 2 })).toBe("");
    const equal = [{ field: "session", direction: "asc" as const }];
    const pages = [0, 1, 2, 3].map((start) => ids({ orderBy: equal, start, limit: 1 }));
    expect((await Promise.all(pages)).toSorted().join("")).toBe("ABCD");
  });

  test("one document comes whole, with its files", async () => {
    const reader = await withMessages(world);
    const [row] = await reader.list(query({ fields: ["name"], filters: [["message_id", "=", "D"]] }));
    const name = String(row?.["name"]);
    expect(await reader.get(DOCTYPE, name)).toMatchObject({
      doctype: DOCTYPE,
      name,
      message_id: "D",
      has_media: 1,
      media_items: [{ parent: name, filename: "i.jpg", filesize: 5, idx: 1 }],
    });
  });

  test("every document type can be listed", async () => {
    const { adapter, contacts } = await world();
    await contacts([aContact()]);
    const reader = adapter.documents;
    expect(reader?.doctypes).toEqual(
      expect.arrayContaining(["WhatsApp Session", "WhatsApp Contact", "WhatsApp Conversation", DOCTYPE]),
    );
    for (const doctype of reader?.doctypes ?? [])
      expect(await reader?.list(query({ doctype, fields: ["*"], orderBy: [] }))).toHaveLength(
        doctype === "WhatsApp Contact" ? 1 : 0,
      );
    expect(await reader?.count({ doctype: "WhatsApp Contact", filters: [["contact_id", "=", ANA]] })).toBe(1);
  });

  const refused: [what: string, change: Partial<DocumentQuery>, code: string][] = [
    ["an unknown document type", { doctype: "User" }, "DOCTYPE_NOT_FOUND"],
    ["an unknown field", { fields: ["password"] }, "VALIDATION_ERROR"],
    ["a field that only looks harmless", { fields: ["constructor"] }, "VALIDATION_ERROR"],
    ["SQL for a field", { fields: ["1; DROP TABLE x"] }, "VALIDATION_ERROR"],
    ["a field that is not shown", { fields: ["position"] }, "VALIDATION_ERROR"],
    ["an unknown field to filter by", { filters: [["password", "=", "x"]] }, "VALIDATION_ERROR"],
    ["an unknown field to order by", { orderBy: [{ field: "x", direction: "asc" }] }, "VALIDATION_ERROR"],
    ["an unknown operator", { filters: [["status", "regexp", "x"]] }, "VALIDATION_ERROR"],
    ["a list where a value belongs", { filters: [["status", "=", ["Read"]]] }, "VALIDATION_ERROR"],
    ["text where a number belongs", { filters: [["from_me", "=", "yes"]] }, "VALIDATION_ERROR"],
    ["text where a moment belongs", { filters: [["timestamp", ">", "yesterday"]] }, "VALIDATION_ERROR"],
    ["a span with one end", { filters: [["timestamp", "between", ["2026-01-01"]]] }, "VALIDATION_ERROR"],
    ["neither set nor not set", { filters: [["status", "is", "null"]] }, "VALIDATION_ERROR"],
    ["a pattern without end", { filters: [["content", "like", "%a".repeat(5000)]] }, "VALIDATION_ERROR"],
  ];

  test.each(refused)("%s is refused", async (_, change, code) => {
    const reader = await withMessages(world);
    await expect(reader.list(query(change))).rejects.toMatchObject({ code });
  });

  test("a document that is not there is not found", async () => {
    const reader = await withMessages(world);
    await expect(reader.get(DOCTYPE, "WAMSG-99999")).rejects.toMatchObject({ code: "DOCUMENT_NOT_FOUND" });
    await expect(reader.get("User", "x")).rejects.toMatchObject({ code: "DOCTYPE_NOT_FOUND" });
    await expect(reader.count({ doctype: "User", filters: [] })).rejects.toMatchObject({
      code: "DOCTYPE_NOT_FOUND",
    });
  });
}
