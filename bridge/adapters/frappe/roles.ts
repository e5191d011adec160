/** Who may do what with the site's records, given as its own permission manager gives it. Safe to repeat; takes nothing away. */
import { z } from "zod";
import { CrmMisconfigured, failureFacts } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { text } from "./field-values.ts";
import { CLIENT, CONTACT, CONVERSATION, MESSAGE, SESSION } from "./site.ts";
import { expecting, isDuplicate, reasonOf, SiteRefusal } from "./site-answer.ts";
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
}

const bridges = (doctype: string): Grant => ({ doctype, role: BRIDGE_ROLE, rights: ALL });
const agents = (doctype: string, ...more: Right[]): Grant => ({
  doctype,
  role: AGENT_ROLE,
  rights: ["read", ...more],
});

/**
 * In the order in which they are given; child tables have the rights of their parents. The bridge gets what it lacks at each
 * run. The agents get theirs once, because what a person changes afterwards stays: that they may read messages is one call
 * and the last one, so it says for ever that they were given everything.
 */
const GRANTS: Grant[] = [
  ...[SESSION, CONTACT, CONVERSATION, MESSAGE, CLIENT].map(bridges),
  agents(SESSION),
  ...[CONTACT, CONVERSATION].map((doctype) => agents(doctype, "write")),
  agents(CLIENT, "write", "create"),
  agents(MESSAGE),
];
const DOCTYPES = new Set(GRANTS.map(({ doctype }) => doctype));

const ADVICE =
  "Prepare the site with the key of a System Manager, or give the roles these rights in its Role Permissions Manager.";

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

/** What of a grant the role lacks. */
interface Missing extends Grant {
  hasRule: boolean;
}

/** `tell`: which rights could not be given, with what to do. */
export async function prepareRoles({
  calls,
  tables,
  log,
  tell,
}: {
  calls: SiteCalls;
  tables: SiteTables;
  log: Log;
  tell: (undone: string) => void;
}): Promise<void> {
  let left: Grant[] = GRANTS;
  let doctype = "Role";
  try {
    await makeRoles();
    const rules = new Map<string, Rule[]>();
    for (doctype of DOCTYPES) rules.set(doctype, await rulesOf(doctype));
    const missing = missingIn(rules);
    left = missing;
    for (const grant of missing) {
      ({ doctype } = grant);
      await give(grant);
      left = left.filter((one) => one !== grant);
    }
  } catch (error) {
    if (!(error instanceof CrmMisconfigured || error instanceof SiteRefusal)) throw error;
    const failure = error instanceof SiteRefusal ? asFailure(error) : error;
    log.warn({ ...failureFacts(failure), doctype, advice: ADVICE }, "frappe.rights_not_given");
    tell(
      `Rights that are not given: ${left.map(inWords).join("; ")}. The site said: ${failure.message.replace(/\.$/, "")}. ${ADVICE}`,
    );
  }

  async function rulesOf(type: string): Promise<Rule[]> {
    return expecting(rulesAnswer, await calls.ask(`${MANAGER}.get_permissions`, { doctype: type })).message;
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

  async function give({ hasRule, rights, ...of }: Missing): Promise<void> {
    // A new rule begins with the right to read.
    if (!hasRule)
      await calls.write("POST", `${MANAGER}.add`, { parent: of.doctype, role: of.role, permlevel: 0 });
    for (const right of rights.filter((one) => hasRule || one !== "read"))
      await calls.write("POST", `${MANAGER}.update`, { ...of, permlevel: 0, ptype: right, value: "1" });
    log.info({ ...of, rights }, "frappe.rights_given");
  }
}

function missingIn(rules: ReadonlyMap<string, Rule[]>): Missing[] {
  const ruleOf = (doctype: string, role: string): Rule | undefined =>
    rules.get(doctype)?.find((rule) => rule.role === role && rule.permlevel === 0 && !isOn(rule.if_owner));
  const agentsHadAll = ruleOf(MESSAGE, AGENT_ROLE) !== undefined;
  return GRANTS.filter(({ role }) => role !== AGENT_ROLE || !agentsHadAll)
    .map((grant) => {
      const rule = ruleOf(grant.doctype, grant.role);
      const rights = grant.rights.filter((right) => !isOn(rule?.[right]));
      return { ...grant, rights, hasRule: rule !== undefined };
    })
    .filter(({ rights }) => rights.length > 0);
}

const asFailure = ({ status, excType, message }: SiteRefusal): CrmMisconfigured =>
  new CrmMisconfigured(reasonOf(excType, message), { code: excType === "" ? `HTTP_${status}` : excType });

const inWords = ({ role, doctype, rights }: Grant): string => `${role} on ${doctype} (${rights.join(", ")})`;

const isOn = (flag: unknown): boolean => ["1", "true"].includes(String(flag));
