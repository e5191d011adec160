/** Whether the bridge could work with a site now. Asks, and writes nothing: monitors ask for it all day. */
import { z } from "zod";
import { CrmMisconfigured } from "../../errors.ts";
import { BRIDGE_ROLE } from "./roles.ts";
import { CONTACT, CONVERSATION, MESSAGE, SESSION } from "./site.ts";
import { expecting, SiteRefusal } from "./site-answer.ts";
import type { SiteCalls } from "./site-calls.ts";

const loggedUser = z.object({ message: z.string() });
const permission = z.object({
  message: z.object({ has_permission: z.union([z.boolean(), z.number(), z.null()]) }),
});

/** @throws CrmMisconfigured | CrmUnavailable */
export async function checkSite(calls: SiteCalls): Promise<void> {
  const { message: user } = expecting(loggedUser, await calls.ask("/api/method/frappe.auth.get_logged_user"));
  if (user === "Guest")
    throw new CrmMisconfigured("The site takes the key for nobody's: check FRAPPE_API_KEY");
  for (const doctype of [SESSION, CONTACT, CONVERSATION, MESSAGE]) {
    await calls.ask(`/api/resource/${encodeURIComponent(doctype)}`, {
      fields: '["name"]',
      order_by: "name asc",
      limit_page_length: 1,
    });
    for (const right of ["create", "write"])
      if (!(await isAllowed(calls, doctype, right)))
        throw new CrmMisconfigured(
          `The user of the key may not ${right} ${doctype}: give it the role ${BRIDGE_ROLE}`,
        );
  }
}

async function isAllowed(calls: SiteCalls, doctype: string, right: string): Promise<boolean> {
  try {
    const answer = await calls.ask("/api/method/frappe.client.has_permission", {
      doctype,
      // Of no document: of the whole type.
      docname: "",
      perm_type: right,
    });
    return Boolean(expecting(permission, answer).message.has_permission);
  } catch (error) {
    if (error instanceof SiteRefusal) return true; // a site that does not answer this question refuses the write itself
    throw error;
  }
}
