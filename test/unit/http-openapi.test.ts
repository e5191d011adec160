/** The description of the API says what the table of routes says. */
import { describe, expect, test } from "vitest";
import { describeRoutes } from "../../hub/http/openapi.ts";
import { docsPage, DOCS_POLICY } from "../../hub/http/docs-page.ts";
import { allRoutes } from "../../hub/http/routes/index.ts";

const document = describeRoutes(allRoutes, "1.2.3");
const text = JSON.stringify(document);

describe("OpenAPI", () => {
  test("holds every route once, with a summary, an answer and its key", () => {
    expect(document.openapi).toBe("3.1.0");
    for (const route of allRoutes) {
      const operation = document.paths?.[route.path]?.[route.method];
      expect(operation, `${route.method} ${route.path}`).toMatchObject({
        summary: route.summary,
        security:
          route.scope === "open"
            ? []
            : route.scope === "person"
              ? [{ token: [] }]
              : [{ apiKey: [] }, { token: [] }],
      });
      expect(Object.keys(operation?.responses ?? {})).toContain(String(route.status));
    }
    const operations = Object.values(document.paths ?? {}).flatMap((path) => Object.keys(path));
    expect(operations).toHaveLength(allRoutes.length);
  });

  test("names each operation differently", () => {
    const ids = [...text.matchAll(/"operationId":"([^"]+)"/g)].map((match) => match[1]);
    expect(ids).toHaveLength(allRoutes.length);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("resolves every reference inside itself", () => {
    const schemas = Object.keys(document.components?.schemas ?? {});
    const used = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]);
    expect(used.length).toBeGreaterThan(0);
    for (const name of used) expect(schemas).toContain(name);
  });

  test("describes each id of a path as a required parameter", () => {
    for (const { path, method } of allRoutes) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const parameters = document.paths?.[path]?.[method]?.parameters ?? [];
      const inPath = parameters.flatMap((parameter) =>
        "in" in parameter && parameter.in === "path" && parameter.required ? [parameter.name] : [],
      );
      expect(inPath.sort(), path).toEqual(names.sort());
    }
  });

  test("shows examples that its own schemas accept", () => {
    const withExample = allRoutes.filter(({ example }) => example !== undefined);
    expect(withExample.length).toBeGreaterThan(3);
    for (const { body, example, path } of withExample)
      expect(body?.safeParse(example).error?.issues ?? [], path).toEqual([]);
  });

  test("holds nothing of the inside: no hash, no sealed secret, no raw message", () => {
    const members = new Set([...text.matchAll(/"(\w+)":\{/g)].map((match) => match[1]));
    // The audit log's chain is shown on purpose: no other hash is.
    expect(text.match(/"hash":\{/g)).toHaveLength(1);
    expect(text).toMatch(/"AuditEntry":\{.*"hash":\{/);
    members.delete("hash");
    for (const inside of ["previous", "previousSecret", "directPath", "raw", "breakerState"])
      expect(members.has(inside), inside).toBe(false);
  });
});

test("the page for people lists every route, escapes what it shows and loads nothing", () => {
  const page = docsPage(allRoutes, "<b>");
  for (const { path } of allRoutes) expect(page).toContain(`<code>${path}</code>`);
  expect(page).not.toContain("<b>");
  expect(page).not.toMatch(/<script|src=|url\(|@import|https?:/);
  expect(DOCS_POLICY).toContain("default-src 'none'");
});
