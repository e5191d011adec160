/** `GET /`: what this is, how to point a program at it, and every route. */
import type { AdminContext, AdminRoute } from "./route.ts";

const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

export function frontPage(routes: AdminRoute[], { operations, wsUrl }: AdminContext): string {
  const origin = wsUrl()
    .replace(/^ws:/, "http:")
    .replace(/\/ws\/chat$/, "");
  const accounts = operations
    .accounts()
    .map(
      ({ number, contacts, chats, messages, devices }) =>
        `<li><b>${number}</b>: ${contacts} contacts, ${chats} chats, ${messages} messages; ${devices.length} linked</li>`,
    )
    .join("");
  const rows = routes
    .map(({ method, path, summary, example }) => {
      const sample = example === undefined ? "" : `<br><code>${escape(JSON.stringify(example))}</code>`;
      return `<tr><td>${method}</td><td><code>${escape(path)}</code></td><td>${escape(summary)}${sample}</td></tr>`;
    })
    .join("\n");
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>WhatsApp emulator</title>
<style>body{font:15px/1.5 system-ui;max-width:70rem;margin:2rem auto;padding:0 1rem}td{padding:.3rem .8rem .3rem 0;vertical-align:top;border-top:1px solid #ddd}code{background:#f4f4f4;padding:0 .2em}pre{background:#f4f4f4;padding:1em}</style>
<h1>WhatsApp emulator</h1>
<p>For tests only. A program built on Baileys takes this for WhatsApp when it is started so:</p>
<pre>WHATSAPP_EMULATOR_URL=${origin} WA_WEB_SOCKET_URL=${wsUrl()} node --import ./test/whatsapp/trust-preload.mjs …</pre>
<p>Scan the QR code it shows: <code>curl -X POST --data-binary "$QR" ${origin}/admin/mock-phone/scan-qr</code></p>
<h2>Accounts</h2><ul>${accounts || "<li>none yet</li>"}</ul>
<h2>Routes</h2><table>${rows}</table></html>`;
}
