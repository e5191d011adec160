/** A CRM's clients in memory, with what a CRM keeps beside a directory's fields, and trouble on demand. */
import type { ClientChanges, ClientFields, ClientStore, WriteResult } from "../../bridge/adapter.ts";

/** What belongs to the CRM alone. */
export interface OwnFields {
  password: string | null;
  role: string;
  status: string;
  plan: string | null;
}

export type CrmClient = ClientFields & OwnFields & { id: string };

export interface CrmClients extends ClientStore {
  all(): CrmClient[];
  withExternalId(externalId: string): CrmClient | undefined;
  /** A client that was there before the directory. */
  has(client: Partial<Omit<CrmClient, "id">>): CrmClient;
  /** Asked before each create and update; it may throw, or answer for the CRM. */
  beforeWrites(how?: (externalId: string) => WriteResult | null): void;
  /** Creates and updates asked for, and those that changed something. */
  counts(): { asked: number; written: number };
}

export function crmClients(): CrmClients {
  const rows = new Map<string, CrmClient>();
  /** Ids of rows, by what they are found by. */
  const byExternalId = new Map<string, string>();
  const byNationalId = new Map<string, string[]>();
  let before: (externalId: string) => WriteResult | null = () => null;
  let asked = 0;
  let written = 0;

  const add = (fields: ClientFields & Partial<OwnFields>): CrmClient => {
    const id = `client_${rows.size + 1}`;
    const client = { password: null, role: "client", status: "invited", plan: null, ...fields, id };
    rows.set(id, client);
    if (client.externalId !== "") byExternalId.set(client.externalId, id);
    const alike = byNationalId.get(client.nationalId) ?? [];
    byNationalId.set(client.nationalId, [...alike, id]);
    return client;
  };

  return {
    find: ({ externalId, nationalId }) => {
      const known = byExternalId.get(externalId);
      if (known !== undefined)
        return Promise.resolve([{ id: known, matchedBy: "externalId" as const, externalId }]);
      const alike = nationalId === null ? [] : (byNationalId.get(nationalId) ?? []);
      return Promise.resolve(
        alike.map((id) => ({
          id,
          matchedBy: "nationalId" as const,
          externalId: rows.get(id)?.externalId || null,
        })),
      );
    },
    create: async (client) => {
      asked += 1;
      const answer = before(client.externalId);
      if (answer !== null) return answer;
      // Writing takes a turn of the loop, as it does in a real CRM.
      await Promise.resolve();
      written += 1;
      return { outcome: "created", id: add(client).id };
    },
    update: async (id, changes) => {
      asked += 1;
      const answer = before(changes.externalId);
      if (answer !== null) return answer;
      await Promise.resolve();
      const client = rows.get(id);
      if (client === undefined) return { outcome: "missing" };
      if (!differs(client, changes)) return { outcome: "unchanged", id };
      written += 1;
      // Whatever it is handed, as a careless CRM would: what may be handed over is what the tests are about.
      rows.set(id, { ...client, ...changes });
      byExternalId.set(changes.externalId, id);
      return { outcome: "updated", id };
    },
    all: () => [...rows.values()],
    withExternalId: (externalId) => rows.get(byExternalId.get(externalId) ?? ""),
    has: (change) =>
      add({
        externalId: "",
        code: "OLD-1",
        name: "Known before",
        email: "before@example.com",
        phone: null,
        address: null,
        zone: null,
        nationalId: "",
        details: null,
        ...change,
      }),
    beforeWrites: (how = () => null) => {
      before = how;
    },
    counts: () => ({ asked, written }),
  };
}

const differs = (client: CrmClient, changes: ClientChanges): boolean =>
  Object.entries({ ...client, ...changes }).some(([field, value]) => Reflect.get(client, field) !== value);
