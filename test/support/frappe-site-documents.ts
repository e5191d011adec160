/** What a Frappe site holds, shown to the suites the way an embedded CRM shows it. */
import type { DocumentReader } from "../../bridge/adapter.ts";
import { plainText, type Doc, type SiteStore } from "./frappe-site-store.ts";

export function siteDocuments(store: SiteStore): DocumentReader {
  const sessionIds = (): Map<string, unknown> =>
    new Map([...store.table("WhatsApp Session").values()].map((doc) => [doc.name, doc["session_id"]]));
  const shown = (doc: Doc): Record<string, unknown> => {
    const session = sessionIds().get(String(doc["session"]));
    // A message whose id was taken is kept under another; the adapter remembers its own.
    const state = plainText(doc["hub_state"]);
    const own = /"id":"([^"]+)"/.exec(state)?.[1];
    // An app that shows every incoming message as delivered does not know better; the adapter does.
    const status = /"status":"([a-z]+)"/.exec(state)?.[1];
    return {
      ...doc,
      ...(session === undefined ? {} : { session }),
      ...(own === undefined ? {} : { message_id: own }),
      ...(status === undefined ? {} : { status: status.charAt(0).toUpperCase() + status.slice(1) }),
    };
  };
  const select = (doctype: string, filters: [string, string, unknown][]): Record<string, unknown>[] =>
    [...store.table(doctype).values()]
      .map(shown)
      .filter((doc) => filters.every(([field, , value]) => doc[field] === value));
  return {
    doctypes: [...store.doctypes.keys()],
    list: ({ doctype, filters }) => Promise.resolve(select(doctype, filters)),
    count: ({ doctype, filters }) => Promise.resolve(select(doctype, filters).length),
    get: (doctype, name) => Promise.resolve(shown(store.table(doctype).get(name) ?? { name })),
  };
}
