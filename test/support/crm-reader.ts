/** The bridge's Frappe-style face as a client of the CRM uses it. */

export interface CrmReader {
  /** A whitelisted method of the app. */
  method<T>(name: string, args?: Record<string, unknown>): Promise<T>;
  /** Records as `/api/resource/` answers them: a DocType, with its query. */
  resource<T>(path: string): Promise<T[]>;
  /** Every record of a DocType, page by page. */
  all<T>(doctype: string, fields: string[]): Promise<T[]>;
  count(doctype: string, filters?: [field: string, operator: string, value: unknown][]): Promise<number>;
}

const APP = "xappiens_whatsapp";
const PAGE = 1000;

/** `key` is `key:secret` of BRIDGE_METHOD_KEYS. */
export function crmReader({ url, key }: { url: string; key: string }): CrmReader {
  async function call(path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${url}/api/${path}`, {
      headers: { Authorization: `token ${key}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }
  return {
    // The shapes of the two envelopes; a test that gets another one fails at the member it reads.
    method: async <T>(name: string, args: Record<string, unknown> = {}) =>
      ((await call(`method/${APP}.api.${name}`, args)) as { message: T }).message,
    resource: async <T>(path: string) =>
      ((await call(`resource/${path.replace(" ", "%20")}`)) as { data: T[] }).data,
    all: async <T>(doctype: string, fields: string[]) => {
      const all: T[] = [];
      for (let page: T[] | null = null; page === null || page.length === PAGE;) {
        const query = new URLSearchParams({
          fields: JSON.stringify(fields),
          order_by: "name asc",
          limit_start: String(all.length),
          limit_page_length: String(PAGE),
        });
        page = ((await call(`resource/${encodeURIComponent(doctype)}?${query.toString()}`)) as { data: T[] })
          .data;
        all.push(...page);
      }
      return all;
    },
    count: async (doctype, filters = []) =>
      ((await call("method/frappe.client.get_count", { doctype, filters })) as { message: number }).message,
  };
}
