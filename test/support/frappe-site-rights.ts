/** Who may do what on a Frappe site: its users with their roles, and the rules of each document type. */
import { refuse, SiteError } from "./frappe-site-errors.ts";
import { plainText, type SiteStore } from "./frappe-site-store.ts";

export interface SiteUser {
  name: string;
  apiKey: string;
  apiSecret: string;
  roles: string[];
}

export type SiteRight = "read" | "write" | "create" | "delete";

interface Rule {
  role: string;
  permlevel: number;
  read: number;
  write: number;
  create: number;
  delete: number;
}

const MANAGER = "frappe.core.page.permission_manager.permission_manager.";
const MANAGES = "System Manager";

export interface SiteRights {
  users: SiteUser[];
  /** Whose key it is. @throws SiteError */
  userOf(header: string | undefined): SiteUser;
  may(user: SiteUser, doctype: string, right: SiteRight): boolean;
  /** @throws SiteError */
  check(user: SiteUser, doctype: string, right: SiteRight): void;
  /** A method of the site's permission manager; undefined when it is none of them. */
  method(user: SiteUser, name: string, args: Record<string, unknown>): unknown;
}

export function createSiteRights(store: SiteStore): SiteRights {
  const users: SiteUser[] = [];
  /** Types without rules of their own are the System Manager's. */
  const rules = new Map<string, Rule[]>();
  const rulesOf = (doctype: string): Rule[] =>
    rules.get(doctype) ?? [{ role: MANAGES, permlevel: 0, read: 1, write: 1, create: 1, delete: 1 }];

  const may: SiteRights["may"] = ({ roles }, doctype, right) =>
    rulesOf(doctype).some((rule) => roles.includes(rule.role) && rule[right] === 1);

  const change = (
    doctype: string,
    role: string,
    edit: (all: Rule[], own: Rule | undefined) => void,
  ): void => {
    store.meta(doctype);
    if (!store.table("Role").has(role)) throw refuse.noLink("Role", role);
    const all = structuredClone(rulesOf(doctype));
    edit(
      all,
      all.find((one) => one.role === role),
    );
    rules.set(doctype, all);
  };

  return {
    users,
    userOf: (header) => {
      // Without the header a call runs as a guest, who may do nothing here.
      if (header === undefined) throw refuse.noPermission();
      const user = users.find(({ apiKey, apiSecret }) => header === `token ${apiKey}:${apiSecret}`);
      if (user === undefined) throw refuse.noLogin();
      return user;
    },
    may,
    check: (user, doctype, right) => {
      // That a type is not there is told to everybody.
      if (store.doctypes.has(doctype) && !may(user, doctype, right)) throw refuse.noPermission();
    },
    method: (user, name, args) => {
      if (!name.startsWith(MANAGER)) return undefined;
      if (!user.roles.includes(MANAGES)) throw refuse.noPermission();
      const role = plainText(args["role"]);
      switch (name.slice(MANAGER.length)) {
        case "get_permissions":
          return rulesOf(plainText(args["doctype"]));
        case "add":
          change(plainText(args["parent"]), role, (all, own) => {
            if (own === undefined) all.push({ role, permlevel: 0, read: 1, write: 0, create: 0, delete: 0 });
          });
          return null;
        case "update":
          change(plainText(args["doctype"]), role, (_all, own) => {
            const right = plainText(args["ptype"]) as SiteRight;
            if (own === undefined) throw new SiteError(417, "ValidationError", "There is no such rule");
            own[right] = Number(args["value"]);
          });
          return null;
        default:
          throw refuse.notFound("Method", name);
      }
    },
  };
}
