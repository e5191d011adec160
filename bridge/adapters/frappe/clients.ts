/** Clients of a remote directory, in a document type of their own: a site's customers have rules we do not know. */
import type { ClientCandidate, ClientFields, ClientStore, WriteResult } from "../../adapter.ts";
import { normalNationalId } from "../../national-id.ts";
import { phoneForms } from "../../phone-forms.ts";
import { cutName, differing, isEmpty, requiredName, text, type Fields, type Row } from "./field-values.ts";
import { isDuplicate, SiteRefusal } from "./site-answer.ts";
import { CLIENT, CONTACT, nowSeconds, type Site } from "./site.ts";
import { rejected } from "./write-many.ts";

const FIELDS = ["name", "external_id", "client_name", "email", "phone", "address", "zone", "contact"];
/** Enough to see that nobody may decide between them. */
const CANDIDATES = 5;

const candidateOf = (row: Row, matchedBy: ClientCandidate["matchedBy"]): ClientCandidate => ({
  id: text(row, "name"),
  matchedBy,
  externalId: text(row, "external_id") || null,
});

export function createClients({ tables, writes, time, clock }: Site): ClientStore {
  const byExternalId = async (externalId: string): Promise<ClientCandidate[]> => {
    const rows = await tables.list(CLIENT, {
      fields: ["name", "external_id"],
      filters: [["external_id", "=", externalId]],
      orderBy: "creation asc",
      limit: CANDIDATES,
    });
    return rows.map((row) => candidateOf(row, "externalId"));
  };

  /** People write dots, blanks and the kind of the id into theirs: all that have its digits in their order are looked at. */
  const byNationalId = async (nationalId: string): Promise<ClientCandidate[]> => {
    const digits = nationalId.match(/[0-9]/g) ?? [];
    const rows = await tables.all(CLIENT, {
      fields: ["name", "external_id", "national_id"],
      filters: [["national_id", "like", `%${digits.join("%")}%`]],
      orderBy: "creation asc",
    });
    return rows
      .filter((row) => normalNationalId(text(row, "national_id")) === nationalId)
      .slice(0, CANDIDATES)
      .map((row) => candidateOf(row, "nationalId"));
  };

  const contactOf = async (phone: string | null | undefined): Promise<string | undefined> => {
    if (phone === null || phone === undefined || phone === "") return undefined;
    const [row] = await tables.list(CONTACT, {
      fields: ["name"],
      filters: [["phone_number", "in", phoneForms(phone)]],
      orderBy: "creation asc",
      limit: 1,
    });
    return row === undefined ? undefined : text(row, "name");
  };

  const whiteList = (client: Partial<ClientFields>): Fields => ({
    external_id: client.externalId,
    client_name: client.name === undefined ? undefined : requiredName(client.name, "-"),
    email: client.email,
    phone: client.phone,
    address: client.address,
    zone: client.zone === null || client.zone === undefined ? client.zone : cutName(client.zone),
  });

  const syncedAt = async (): Promise<string> => (await time()).write(nowSeconds(clock));

  const update: ClientStore["update"] = async (id, client) => {
    const [row] = await tables.list(CLIENT, {
      fields: FIELDS,
      filters: [["name", "=", id]],
      orderBy: "name asc",
      limit: 1,
    });
    if (row === undefined) return { outcome: "missing" };
    const changes = differing(row, { ...whiteList(client), contact: await contactOf(client.phone) });
    if (isEmpty(changes)) return { outcome: "unchanged", id };
    return writes.updateOne(CLIENT, { name: id, changes: { ...changes, synced_at: await syncedAt() } });
  };

  return {
    update,
    find: async ({ externalId, nationalId }) => {
      const known = await byExternalId(externalId);
      if (known.length > 0 || nationalId === null || nationalId === "") return known;
      return byNationalId(nationalId);
    },
    create: async (client): Promise<WriteResult> => {
      const fields: Fields = {
        ...whiteList(client),
        client_code: client.code,
        national_id: client.nationalId,
        details: client.details,
        contact: await contactOf(client.phone),
        synced_at: await syncedAt(),
      };
      try {
        return { outcome: "created", id: await tables.insert(CLIENT, fields) };
      } catch (error) {
        if (!(error instanceof SiteRefusal)) throw error;
        // Made since it was looked for, by a run whose answer was lost.
        const [made] = isDuplicate(error) ? await byExternalId(client.externalId) : [];
        return made === undefined ? rejected(error) : update(made.id, client);
      }
    },
  };
}
