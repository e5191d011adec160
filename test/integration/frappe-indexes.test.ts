/** Indexes on a Frappe site that was there before the bridge: what it asks by must not read whole tables. */
import { expect, test } from "vitest";
import { closeFrappeRigs, openFrappeRig } from "../support/frappe-rig.ts";

closeFrappeRigs();

const indexed = (setters: Record<string, unknown>[]) =>
  setters
    .filter(({ property, value }) => property === "search_index" && value === "1")
    .map((row) => row["field_name"]);

test("fields that the bridge asks by are indexed once the site is prepared, which says what makes the indexes", async () => {
  const { site, reopen, logged } = await openFrappeRig({ app: true });
  expect(indexed(site.rows("Property Setter"))).toEqual(
    expect.arrayContaining(["from_number", "to_number", "timestamp", "chat_id"]),
  );
  expect(logged("frappe.indexes_wait")).toContainEqual(
    expect.objectContaining({
      doctype: "WhatsApp Message",
      fields: expect.arrayContaining(["from_number", "to_number"]) as unknown,
    }),
  );
  await reopen().prepare();
  expect(site.requests().filter(({ method }) => method === "POST")).toEqual([]);
});

test("they stay so where the site does not let the key change it, and that is said", async () => {
  const { logged } = await openFrappeRig({ app: true, refusesSetters: true });
  expect(logged("frappe.index_not_set")).toContainEqual(
    expect.objectContaining({
      ...{ doctype: "WhatsApp Message", field: "from_number" },
      advice: expect.stringContaining("Index") as unknown,
    }),
  );
});

test("they are left alone where the bridge made them, and where a person made them of another kind", async () => {
  const { site, reopen } = await openFrappeRig();
  expect(indexed(site.rows("Property Setter"))).toEqual([]);
  const { fields } = site.store.meta("WhatsApp Message");
  for (const field of fields.filter(({ fieldname }) => fieldname.endsWith("_number")))
    Object.assign(field, {
      search_index: 0,
      ...(field.fieldname === "to_number" ? { fieldtype: "Text" } : {}),
    });
  await reopen().prepare();
  expect(indexed(site.rows("Property Setter"))).toEqual(["from_number"]);
});
