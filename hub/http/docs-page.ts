/** The table of routes as a page for people: no script, no picture, nothing fetched from elsewhere. */
import { createHash } from "node:crypto";
import type { Route } from "./route.ts";

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1c2430}
h1{font-size:1.6rem}h2{margin-top:2rem;font-size:1.2rem;text-transform:capitalize}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d8dde5;vertical-align:top}
code{font:14px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}.m{font-weight:600;width:5rem}.s{width:9rem;color:#5a6675}
@media(prefers-color-scheme:dark){body{background:#12161c;color:#dde3ea}td,th{border-color:#2b333d}.s{color:#93a0ae}}`;

/** Allows exactly this style sheet and nothing else. */
export const DOCS_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; frame-ancestors 'none'`;

const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

const groupOf = ({ path }: Route): string => /^\/api\/([a-z]+)/.exec(path)?.[1] ?? "hub";

const rowOf = ({ method, path, summary, scope }: Route): string =>
  `<tr><td class="m"><code>${method.toUpperCase()}</code></td><td><code>${escaped(path)}</code></td>` +
  `<td>${escaped(summary)}</td><td class="s">${escaped(scope)}</td></tr>`;

export function docsPage(routes: Route[], version: string): string {
  const sections = [...new Set(routes.map(groupOf))].map(
    (name) =>
      `<h2>${escaped(name)}</h2><table><tr><th></th><th>Path</th><th>What it does</th><th>Scope</th></tr>` +
      `${routes
        .filter((route) => groupOf(route) === name)
        .map(rowOf)
        .join("")}</table>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Inbox Hub API</title><style>${STYLE}</style></head><body><h1>Inbox Hub API <small>${escaped(version)}</small></h1>
<p>Send your key as the header <code>X-API-Key</code>, or the access token of a user as <code>Authorization: Bearer</code>. Answers are <code>{"success":true,"data":…}</code> or
<code>{"success":false,"error","code",…}</code>. The machine-readable description is <a href="/openapi.json">/openapi.json</a>.</p>
${sections.join("\n")}</body></html>`;
}
