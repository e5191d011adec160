/** Rights on a Frappe site: two roles that `prepare` makes, each with what it needs. */
import { describe, expect, test } from "vitest";
import { CrmMisconfigured, CrmUnavailable } from "../../bridge/errors.ts";
import type { Batch } from "../../bridge/adapter.ts";
import { ANA, aChat, aContact, aMessage, HIDDEN } from "../conformance/crm/records.ts";
import { closeFrappeRigs, openFrappeRig, type FrappeRig } from "../support/frappe-rig.ts";
import type { SiteUser } from "../support/frappe-site-rights.ts";

closeFrappeRigs();

const writesOf = ({ site }: FrappeRig) => site.requests().filter(({ method }) => method !== "GET");

const MANAGER = "/api/method/frappe.core.page.permission_manager.permission_manager";
const TYPES = ["Session", "Contact", "Conversation", "Message", "Client"];

/** What the agents' role may at each document type, as the site's permission manager tells it. */
async function agentsRights({ site }: FrappeRig): Promise<unknown[]> {
  const rules = TYPES.map(async (type) => {
    const response = await fetch(`${site.url}${MANAGER}.get_permissions?doctype=WhatsApp%20${type}`, {
      headers: { Authorization: `token ${site.apiKey}:${site.apiSecret}` },
    });
    const { message } = (await response.json()) as { message: { role: string }[] };
    return message.filter(({ role }) => role === "WhatsApp Agent");
  });
  return Promise.all(rules);
}

const batch = <T>(items: T[]): Batch<T> => ({ sessionId: "s1", position: 1, items });

/** Status of one call by this user. */
async function as({ site }: FrappeRig, { apiKey, apiSecret }: SiteUser, verb: string, path: string) {
  const response = await fetch(`${site.url}/api/resource/${encodeURI(path)}`, {
    method: verb,
    headers: { Authorization: `token ${apiKey}:${apiSecret}`, "Content-Type": "application/json" },
    ...(verb === "GET" || verb === "DELETE"
      ? {}
      : { body: JSON.stringify({ labels: "vip", client_name: "Eva" }) }),
  });
  return response.status;
}

test("the bridge needs a user with its role alone", async () => {
  const rig = await openFrappeRig();
  const { apiKey, apiSecret } = rig.site.addUser("WhatsApp Bridge");
  const own = rig.reopen({ apiKey, apiSecret });
  await own.check();
  await own.upsertContacts(batch([aContact(), aContact({ id: HIDDEN })]));
  await own.upsertChats(batch([aChat(), aChat({ chatId: HIDDEN })]));
  await own.upsertMessages(
    batch([aMessage({ messageId: "A" }), aMessage({ messageId: "B", chatId: HIDDEN })]),
  );
  const merged = await own.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 2 });
  expect(merged.outcome).toBe("updated");
  expect(await own.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: 2 });
  // What makes a site ready is an administrator's.
  await expect(own.prepare()).rejects.toThrow(CrmMisconfigured);
});

test("a user without the role is told what is missing", async () => {
  const rig = await openFrappeRig();
  const { apiKey, apiSecret } = rig.site.addUser("Sales User");
  await expect(rig.reopen({ apiKey, apiSecret }).check()).rejects.toThrow(CrmMisconfigured);
});

test("an agent reads everything, labels people and chats, enters clients, and changes no message", async () => {
  const rig = await openFrappeRig();
  await rig.adapter.upsertMessages(batch([aMessage({ messageId: "A" })]));
  const [message] = rig.site.rows("WhatsApp Message");
  const [chat] = rig.site.rows("WhatsApp Conversation");
  const agent = rig.site.addUser("WhatsApp Agent");
  const of = (verb: string, path: string) => as(rig, agent, verb, path);
  for (const type of TYPES) expect(await of("GET", `WhatsApp ${type}`)).toBe(200);
  expect(await of("PUT", `WhatsApp Conversation/${chat?.name}`)).toBe(200);
  expect(await of("POST", "WhatsApp Client")).toBe(200);
  expect(await of("PUT", `WhatsApp Message/${message?.name}`)).toBe(403);
  expect(await of("DELETE", `WhatsApp Conversation/${chat?.name}`)).toBe(403);
  expect(await of("POST", "WhatsApp Message")).toBe(403);
  expect(await of("GET", "User")).toBe(403);
});

describe("a site that an earlier bridge prepared", () => {
  test("gets the roles and their rights when it is prepared anew, once", async () => {
    const rig = await openFrappeRig({ app: true, prepared: false });
    await rig.adapter.prepare();
    expect(rig.logged("frappe.role_created")).toEqual([
      { role: "WhatsApp Bridge" },
      { role: "WhatsApp Agent" },
    ]);
    expect(rig.logged("frappe.rights_given")).toHaveLength(10);
    rig.site.requests();
    await rig.adapter.prepare();
    expect(writesOf(rig)).toEqual([]);
  });

  test("keeps what a person took from the agents, and gives the bridge back what it needs", async () => {
    const rig = await openFrappeRig();
    const { url, apiKey, apiSecret } = rig.site;
    const take = (role: string) =>
      fetch(`${url}${MANAGER}.update`, {
        method: "POST",
        headers: { Authorization: `token ${apiKey}:${apiSecret}` },
        body: JSON.stringify({ doctype: "WhatsApp Contact", role, permlevel: 0, ptype: "write", value: "0" }),
      });
    await take("WhatsApp Agent");
    await take("WhatsApp Bridge");
    rig.site.requests();
    await rig.adapter.prepare();
    expect(writesOf(rig).map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { doctype: "WhatsApp Contact", role: "WhatsApp Bridge", permlevel: 0, ptype: "write", value: "1" },
    ]);
  });

  test("gives the agents all of theirs, wherever the run before broke off", async () => {
    const whole = await openFrappeRig();
    const all = await agentsRights(whole);
    expect(all.flat()).toHaveLength(TYPES.length);
    for (let n = 1; n <= 9; n++) {
      const rig = await openFrappeRig({ prepared: false });
      let asked = 0;
      rig.site.troubles(({ method, body }) =>
        method === "POST" && body.includes('"WhatsApp Agent","permlevel"') && ++asked >= n
          ? { kind: "refused" }
          : null,
      );
      await expect(rig.adapter.prepare()).rejects.toThrow(CrmUnavailable);
      rig.site.troubles();
      await rig.adapter.prepare();
      expect([n, await agentsRights(rig)]).toEqual([n, all]);
    }
  });

  test("where roles cannot be made is prepared all the same, and that is said", async () => {
    const rig = await openFrappeRig({ prepared: false });
    rig.site.troublesNext(({ path }) => path === "/api/resource/Role", {
      kind: "status",
      status: 403,
      body: '{"exc_type":"PermissionError"}',
    });
    const undone: string[] = [];
    await rig.adapter.prepare((problem) => undone.push(problem));
    expect(rig.logged("frappe.rights_not_given")).toMatchObject([
      { doctype: "Role", reason: "CrmMisconfigured", code: "PermissionError" },
    ]);
    expect(undone).toEqual([
      expect.stringContaining("WhatsApp Agent on WhatsApp Client (read, write, create)"),
    ]);
    await rig.adapter.check();
  });

  test("where a right is refused is told which ones are missing, and gets them later", async () => {
    const rig = await openFrappeRig({ prepared: false });
    rig.site.troublesNext(
      ({ path, body }) => path === `${MANAGER}.update` && body.includes("WhatsApp Conversation"),
      { kind: "status", status: 417, body: '{"exc_type":"ValidationError"}' },
    );
    const undone: string[] = [];
    await rig.adapter.prepare((problem) => undone.push(problem));
    expect(rig.logged("frappe.rights_not_given")).toMatchObject([
      { doctype: "WhatsApp Conversation", reason: "CrmMisconfigured", code: "ValidationError" },
    ]);
    expect(undone).toEqual([
      expect.stringMatching(/WhatsApp Bridge on WhatsApp Conversation.*System Manager/),
    ]);
    expect(undone[0]).not.toContain("WhatsApp Bridge on WhatsApp Session");
    await rig.adapter.prepare((problem) => undone.push(problem));
    expect(undone).toHaveLength(1);
    expect((await agentsRights(rig)).flat()).toHaveLength(TYPES.length);
  });
});
