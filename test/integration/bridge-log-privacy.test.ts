/** A site's words name people and their numbers: they are in the job and the answers, and in no line of the log. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import { openFrappeAdapter } from "../../bridge/adapters/frappe/frappe-adapter.ts";
import { openHttpAdapter } from "../../bridge/adapters/http/http-adapter.ts";
import { openSqliteAdapter } from "../../bridge/adapters/sqlite/sqlite-adapter.ts";
import { failureFacts } from "../../bridge/errors.ts";
import { ANA, openBridgeRig, withPeople } from "../support/bridge-rig.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { startFrappeSite, type SiteRequest, type SiteTrouble } from "../support/frappe-site.ts";
import { SiteError } from "../support/frappe-site-errors.ts";
import { aHubContact } from "../support/hub-records.ts";
import { listIn, recordOf } from "../support/http-rig.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

const NAME = "Ana Gomez";
const forbidden = new SiteError(
  403,
  "PermissionError",
  `You need the 'write' permission on WhatsApp Contact <b>${ANA}</b> (${NAME}) to perform this action.`,
);
const stumbles = new SiteError(500, "AttributeError", `${NAME} (${ANA}) has no attribute 'lower'`);

/** Writes of people, chats and messages; all that is asked goes well. */
const isWrite = ({ method, path }: SiteRequest): boolean =>
  method === "PUT" || /insert_many|bulk_update|^\/api\/resource\/WhatsApp (Contact|Conv|Mess)/.test(path);

/** A bridge over a site that knows everybody, and whose writes meet trouble from now on. */
async function troubled(trouble: SiteTrouble) {
  const clock = fixedClock();
  const site = await startFrappeSite({ app: true });
  onTestFinished(() => site.stop());
  const crmLog = logBook();
  const adapter = openFrappeAdapter({ ...site, timeoutMs: 400 }, { clock, log: crmLog });
  await adapter.prepare();
  const rig = await openBridgeRig({ given: withPeople, overrides: { adapter } });
  await rig.bridge.idle();
  site.troubles((request) => (isWrite(request) && request.method !== "GET" ? trouble : null));
  rig.hub.store.addMessage("s1", { chatId: ANA, content: "one more" });
  return { ...rig, lines: rig.log.lines, log: () => rig.log.text() + crmLog.text() };
}

test.each<[string, SiteTrouble, RegExp, object]>([
  [
    "a 403",
    { kind: "error", error: forbidden },
    /Ana Gomez/,
    { reason: "CrmMisconfigured", code: "PermissionError" },
  ],
  ["a 500", { kind: "error", error: stumbles }, /Ana Gomez/, { reason: "SiteFault", code: "AttributeError" }],
  [
    "a write that is not answered",
    { kind: "silent" },
    /\/api\/resource\/WhatsApp%20Contact: ETIMEDOUT$/,
    { reason: "AnswerLost", code: "ETIMEDOUT" },
  ],
])("%s puts no number and no name into the log", async (_what, trouble, said, told) => {
  const { hub, push, method, bridge, log, lines } = await troubled(trouble);
  const event = hub.changesContact("s1", ANA, { name: NAME });
  const answer = await push(event);
  expect([answer.status, String(answer.json["error"])]).toEqual([503, expect.stringMatching(said)]);
  await method("api.sync.sync_session_complete", { session_name: "s1" });
  await until("a try failed", () => lines("sync.waiting").length > 0);
  await bridge.reconcile.messages();
  await bridge.reconcile.sessions();
  const { message } = await method("api.sync.get_sync_status", { session_name: "s1" });
  const [status] = listIn(message, "sessions");
  expect(recordOf(status?.["job"])["error"]).toMatch(said);

  expect(log()).toContain("sync.waiting");
  expect(log()).toContain("webhook.failed");
  expect(log()).not.toMatch(/\d{9,}@|\d{9,}%40/);
  expect(log()).not.toContain("Gomez");
  expect(lines("sync.waiting").at(-1)?.facts).toMatchObject(told);
});

const refuses = (answer: (response: ServerResponse) => void) => async (): Promise<CrmAdapter> => {
  const server = createServer((request, response) => {
    request.resume().on("end", () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port
  return openHttpAdapter({ url, timeoutMs: 200 }, { clock: fixedClock(), log: logBook() });
};
const httpSays = (status: number, body = JSON.stringify({ error: `${NAME} (${ANA}) is not welcome` })) =>
  refuses((response) => response.writeHead(status).end(body));
const brokenFile = async (): Promise<CrmAdapter> => {
  const dir = mkdtempSync(join(tmpdir(), "bridge-log-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, "crm.db");
  const adapter = await openSqliteAdapter({ file, clock: fixedClock() });
  const other = new Database(file);
  other.exec("DROP TABLE whatsapp_contact");
  other.close();
  onTestFinished(() => adapter.close());
  return adapter;
};

test.each<[string, () => Promise<CrmAdapter>, object]>([
  ["a CRM behind JSON fails", httpSays(500), { reason: "CrmUnavailable", code: "HTTP_500" }],
  ["a CRM behind JSON is away", httpSays(503), { reason: "CrmUnavailable", code: "HTTP_503" }],
  ["it wants another key", httpSays(401), { reason: "CrmMisconfigured", code: "HTTP_401" }],
  ["it has no such path", httpSays(404), { reason: "CrmMisconfigured", code: "HTTP_404" }],
  ["it refuses everything", httpSays(400), { reason: "CrmMisconfigured", code: "HTTP_400" }],
  ["it redirects", httpSays(302), { reason: "CrmMisconfigured", code: "HTTP_302" }],
  ["it answers with a page", httpSays(200, "<html>"), { reason: "CrmUnavailable", code: "NotJson" }],
  ["it leaves out the results", httpSays(200, "{}"), { reason: "CrmUnavailable", code: "NotAsAgreed" }],
  ["it does not answer", refuses(() => undefined), { reason: "CrmUnavailable", code: "ETIMEDOUT" }],
  [
    "it hangs up",
    refuses((response) => response.destroy()),
    { reason: "CrmUnavailable", code: "ECONNRESET" },
  ],
  ["a CRM in a file lost a table", brokenFile, { reason: "CrmUnavailable", code: "SQLITE_ERROR" }],
])("the log tells in one word why a write failed: %s", async (_what, open, told) => {
  const adapter = await open();
  const failure = await adapter
    .upsertContacts({ sessionId: "s1", position: 1, items: [aHubContact({ id: ANA, name: NAME })] })
    .then(
      () => null,
      (cause: unknown) => failureFacts(cause),
    );
  expect(failure).toEqual(told);
});
