/** Who may do what with the site's records, given as its own permission manager gives it. Safe to repeat; takes nothing away. */
import { z } from "zod";
import { CrmMisconfigured } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { text } from "./field-values.ts";
import { CLIENT, CONTACT, CONVERSATION, MESSAGE, SESSION } from "./site.ts";
import { expecting, isDuplicate, SiteRefusal } from "./site-answer.ts";
import type { SiteCalls } from "./site-calls.ts";
import type { SiteTables } from "./site-tables.ts";

/** Of the bridge's own user, who needs nothing else. */
export const BRIDGE_ROLE = "WhatsApp Bridge";
/** Of people: they read everything, assign, label and note, and enter clients. */
export const AGENT_ROLE = "WhatsApp Agent";

type Right = "read" | "write" | "create" | "delete";
const ALL: Right[] = ["read", "write", "create", "delete"];

interface Grant {
  doctype: string;
  role: string;
  rights: Right[];
  /** What a person changed afterwards stays: given only where the role has no rights at all yet. */
  once: boolean;
}

const bridges = (doctype: string): Grant => ({ doctype, role: BRIDGE_ROLE, rights: ALL, once: false });
const agents = (doctype: string, ...more: Right[]): Grant => ({
  doctype,
  role: AGENT_ROLE,
  rights: ["read", ...more],
  once: true,
});

/** Child tables have the rights of their parents. */
const GRANTS: Grant[] = [
  ...[SESSION, CONTACT, CONVERSATION, MESSAGE, CLIENT].map(bridges),
  ...[SESSION, MESSAGE].map((doctype) => agents(doctype)),
  ...[CONTACT, CONVERSATION].map((doctype) => agents(doctype, "write")),
  agents(CLIENT, "write", "create"),
];

const MANAGER = "/api/method/frappe.core.page.permission_manager.permission_manager";
const given = z.union([z.boolean(), z.number(), z.string()]).nullish();
const rulesAnswer = z.object({
  message: z.array(
    z.object({
      role: z.string(),
      permlevel: z.coerce.number().default(0),
      if_owner: given,
      read: given,
      write: given,
      create: given,
      delete: given,
    }),
  ),
});
type Rule = z.infer<typeof rulesAnswer>["message"][number];

export async function prepareRoles({
  calls,
  tables,
  log,
}: {
  calls: SiteCalls;
  tables: SiteTables;
  log: Log;
}): Promise<void> {
  try {
    await makeRoles();
    for (const doctype of new Set(GRANTS.map((one) => one.doctype))) {
      const rules = expecting(rulesAnswer, await calls.ask(`${MANAGER}.get_permissions`, { doctype }));
      for (const grant of GRANTS.filter((one) => one.doctype === doctype)) await give(grant, rules.message);
    }
  } catch (error) {
    if (!(error instanceof CrmMisconfigured || error instanceof SiteRefusal)) throw error;
    const advice =
      "prepare the site with the key of a System Manager, or give the roles their rights by its Role Permissions Manager";
    log.warn({ problem: error.name, advice }, "frappe.rights_not_given");
  }

  async function makeRoles(): Promise<void> {
    const roles = [BRIDGE_ROLE, AGENT_ROLE];
    const existing = await tables.list("Role", {
      fields: ["name"],
      filters: [["name", "in", roles]],
      orderBy: "name asc",
      limit: roles.length,
    });
    const names = existing.map((row) => text(row, "name"));
    for (const role of roles.filter((one) => !names.includes(one))) {
      try {
        await calls.write("POST", "/api/resource/Role", { role_name: role, desk_access: 1 });
        log.info({ role }, "frappe.role_created");
      } catch (error) {
        if (!(error instanceof SiteRefusal && isDuplicate(error))) throw error;
      }
    }
  }

  async function give({ doctype, role, rights, once }: Grant, rules: Rule[]): Promise<void> {
    const rule = rules.find((one) => one.role === role && one.permlevel === 0 && !isOn(one.if_owner));
    if (rule !== undefined && once) return;
    const missing = rights.filter((right) => !isOn(rule?.[right]));
    if (missing.length === 0) return;
    // A new rule begins with the right to read.
    if (rule === undefined)
      await calls.write("POST", `${MANAGER}.add`, { parent: doctype, role, permlevel: 0 });
    for (const right of missing.filter((one) => rule !== undefined || one !== "read"))
      await calls.write("POST", `${MANAGER}.update`, {
        doctype,
        role,
        permlevel: 0,
        ptype: right,
        value: "1",
      });
    log.info({ doctype, role, rights: missing }, "frappe.rights_given");
  }
}

const isOn = (flag: unknown): boolean => ["1", "true"].includes(String(flag));
