/** Who did what to the hub. */
import { z } from "zod";
import { auditEntrySchema } from "../../contract/administration.ts";
import { HubError } from "../../core/errors.ts";
import { listOf } from "../answer.ts";
import { paging } from "../paging.ts";
import { route, type Route } from "../route.ts";
import { listOfSchema } from "./list-of.ts";

export const auditRoutes: Route[] = [
  route({
    method: "get",
    path: "/api/audit",
    summary: "What was done to the hub, by whom and how it ended, newest first; for keys of all sessions",
    scope: "admin",
    query: z.object(paging()),
    response: listOfSchema("entries", auditEntrySchema),
    handle: async ({ caller, query }, { store }) => {
      // Entries name other people's sessions and keys.
      if (caller.key.sessions !== "*")
        throw new HubError("AUTHORIZATION_FAILED", "Only a key of all sessions may read the audit log.");
      const page = await store.audit.list(query);
      return listOf("entries", page, query, ({ at, ...entry }) => ({ ...entry, at: at.toISOString() }));
    },
  }),
];
