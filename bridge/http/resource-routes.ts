/** The CRM's records as documents, in Frappe's shape: `/api/resource/<DocType>[/<name>]` and the count. Read only. */
import { Router, type Request, type Response } from "express";
import type { CrmAdapter, DocumentReader } from "../adapter.ts";
import { BridgeError } from "../errors.ts";
import { argumentParsers, argumentsOf, queryOf } from "./arguments.ts";
import type { Auth } from "./auth.ts";
import { filtersGiven, listParameters, refuseUnsupported, shaped } from "./list-parameters.ts";

interface ResourceParts {
  adapter: CrmAdapter;
  auth: Auth;
}

function readerOf({ documents }: CrmAdapter): DocumentReader {
  if (documents === undefined)
    throw new BridgeError("NOT_SUPPORTED", "This CRM serves its records itself; ask it, not the bridge.");
  return documents;
}

export function resourceRoutes({ adapter, auth }: ResourceParts): Router {
  const router = Router();
  router.get("/:doctype", async (request: Request<{ doctype: string }>, response: Response) => {
    auth.callerOf(request);
    const reader = readerOf(adapter);
    const given = queryOf(request);
    const rows = await reader.list(listParameters(request.params.doctype, given));
    response.json({ data: shaped(rows, given) });
  });
  router.get(
    "/:doctype/:name",
    async (request: Request<{ doctype: string; name: string }>, response: Response) => {
      auth.callerOf(request);
      response.json({ data: await readerOf(adapter).get(request.params.doctype, request.params.name) });
    },
  );
  router.all(["/:doctype", "/:doctype/:name"], (request: Request) => {
    auth.callerOf(request);
    throw new BridgeError("FORBIDDEN", "Records are written by the bridge alone; this surface only reads.");
  });
  return router;
}

/** `frappe.client.get_count`, by GET or POST. */
export function countRoute({ adapter, auth }: ResourceParts): Router {
  const router = Router();
  router.all(
    "/frappe.client.get_count",
    (request, _response, next) => {
      auth.callerOf(request);
      next();
    },
    ...argumentParsers,
    async (request: Request, response: Response) => {
      const given = argumentsOf(request);
      const { doctype } = given;
      if (typeof doctype !== "string" || doctype === "")
        throw new BridgeError("VALIDATION_ERROR", "doctype: give the name of a DocType.");
      refuseUnsupported(given);
      response.json({ message: await readerOf(adapter).count(filtersGiven(doctype, given)) });
    },
  );
  return router;
}
