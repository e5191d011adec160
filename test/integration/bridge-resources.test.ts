/** The CRM's records in Frappe's shape. */
import { describe, expect, test } from "vitest";
import { aMessage, T0_SECONDS } from "../support/builders.ts";
import { openBridgeRig, type BridgeRig } from "../support/bridge-rig.ts";
import { recordOf } from "../support/http-rig.ts";
import { toldOf } from "../support/receiver-rig.ts";

const MESSAGES = "/api/resource/WhatsApp%20Message";
const params = (given: Record<string, string>): string => `?${new URLSearchParams(given).toString()}`;

async function withMessages(count: number): Promise<BridgeRig> {
  const rig = await openBridgeRig();
  for (let n = 1; n <= count; n++)
    await rig.push(
      toldOf(
        {
          kind: "stored",
          message: aMessage({
            id: `3A${n}`,
            content: `text ${n}`,
            timestamp: T0_SECONDS + n,
            fromMe: n % 2 === 0,
          }),
        },
        n,
      ),
    );
  return rig;
}

describe("documents", () => {
  test("are listed by name only, 20 at a time, unless asked otherwise", async () => {
    const rig = await withMessages(25);
    const { status, json } = await rig.call("GET", MESSAGES);
    const rows = json["data"] as Record<string, unknown>[];
    expect(status).toBe(200);
    expect(rows).toHaveLength(20);
    expect(Object.keys(rows[0] ?? {})).toEqual(["name"]);
  });

  test("are filtered, ordered, narrowed to fields and paged as Frappe does it", async () => {
    const rig = await withMessages(10);
    const query = params({
      fields: '["message_id","content"]',
      filters: '[["WhatsApp Message","from_me","=",0]]',
      order_by: "timestamp desc",
      limit_start: "1",
      limit_page_length: "2",
    });
    const { json } = await rig.call("GET", MESSAGES + query);
    expect(json["data"]).toEqual([
      { message_id: "3A7", content: "text 7" },
      { message_id: "3A5", content: "text 5" },
    ]);
    const count = await rig.call(
      "GET",
      `/api/method/frappe.client.get_count${params({ doctype: "WhatsApp Message", filters: '{"from_me":0}' })}`,
    );
    expect(count.json).toEqual({ message: 5 });
  });

  test("come as Frappe lists them: the newest first, as rows without names or one field alone", async () => {
    const rig = await withMessages(3);
    const ask = async (given: Record<string, string>) =>
      (await rig.call("GET", MESSAGES + params(given))).json["data"];
    expect(await ask({ fields: '["message_id"]', as_dict: "0" })).toEqual([["3A3"], ["3A2"], ["3A1"]]);
    expect(await ask({ pluck: "message_id", limit: "2" })).toEqual(["3A3", "3A2"]);
    const own = '[["WhatsApp Message","message_id","=","3A2",false]]';
    expect(await ask({ pluck: "message_id", filters: own })).toEqual(["3A2"]);
    const refused = await rig.call("GET", MESSAGES + params({ group_by: "status" }));
    expect([refused.status, refused.json["exc_type"]]).toEqual([417, "ValidationError"]);
  });

  test("are counted with or_filters too, of the same DocType only", async () => {
    const rig = await withMessages(4);
    const count = (given: object) =>
      rig.call("POST", "/api/method/frappe.client.get_count", {
        body: { doctype: "WhatsApp Message", ...given },
      });
    const either = [
      ["message_id", "=", "3A1"],
      ["message_id", "=", "3A2"],
    ];
    expect((await count({ or_filters: either })).json).toEqual({ message: 2 });
    expect((await count({ or_filters: either, filters: { from_me: 1 } })).json).toEqual({ message: 1 });
    const other = [["WhatsApp Contact", "message_id", "=", "3A1"]];
    expect((await count({ filters: other })).status).toBe(417);
    expect((await count({ distinct: 1 })).status).toBe(417);
  });

  test("are read one by one", async () => {
    const rig = await withMessages(1);
    const list = await rig.call("GET", MESSAGES);
    const [row] = list.json["data"] as Record<string, unknown>[];
    const one = await rig.call("GET", `${MESSAGES}/${encodeURIComponent(String(row?.["name"]))}`);
    expect(recordOf(one.json["data"])).toMatchObject({ doctype: "WhatsApp Message", message_id: "3A1" });
  });

  test.each([
    ["an unknown DocType", "/api/resource/Sales%20Order", 404, "DoesNotExistError"],
    ["an unknown name", `${MESSAGES}/WAMSG-99999`, 404, "DoesNotExistError"],
    ["an unknown field", `${MESSAGES}?fields=%5B%22password%22%5D`, 417, "ValidationError"],
    [
      "an unknown operator",
      `${MESSAGES}?filters=%5B%5B%22content%22,%22regexp%22,%22x%22%5D%5D`,
      417,
      "ValidationError",
    ],
    ["what is no JSON", `${MESSAGES}?filters=%5B`, 417, "ValidationError"],
  ])("%s is refused in the shape of a document's failure", async (_what, path, status, excType) => {
    const rig = await openBridgeRig();
    const answer = await rig.call("GET", path);
    expect([answer.status, answer.json["exc_type"]]).toEqual([status, excType]);
    expect(answer.json).not.toHaveProperty("message");
    expect(answer.json).toHaveProperty("_server_messages");
  });

  test("are not written through this surface, nor read without a key", async () => {
    const rig = await openBridgeRig();
    for (const verb of ["POST", "PUT", "DELETE"])
      expect((await rig.call(verb, `${MESSAGES}/WAMSG-00001`)).status).toBe(403);
    expect((await rig.call("GET", MESSAGES, { key: null })).status).toBe(401);
    expect(
      (await rig.call("GET", "/api/method/frappe.client.get_count?doctype=x", { key: null })).status,
    ).toBe(401);
  });
});
