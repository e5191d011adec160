/** Clients of a remote directory: found by the directory's id, else by national id; only the white list is rewritten. */
import type { ClientChanges, ClientFields, ClientStore, WriteResult } from "../../adapter.ts";
import { phoneForms } from "../../phone-forms.ts";
import { differences } from "./differences.ts";
import { blank, CLIENT, type ClientRow, type Row } from "./doctypes.ts";
import { writeOne, type Storage } from "./storage.ts";
import { clean, cleanOrNull, keyText, shortName } from "./text.ts";
import { unchanged, type Writing } from "./writing.ts";

export function createClientStore(writing: Writing, storage: Storage): ClientStore {
  const { rows } = writing;
  return {
    find: ({ externalId, nationalId }) =>
      storage.read(() => {
        const known = rows.clients.withExternalId(externalId);
        if (known !== undefined) return [{ id: known.name, matchedBy: "externalId" as const, externalId }];
        const namesakes = nationalId === null ? [] : rows.clients.withNationalId(nationalId);
        return namesakes.map(({ name, external_id: of }) => ({
          id: name,
          matchedBy: "nationalId" as const,
          externalId: of || null,
        }));
      }),
    create: (client) => writeOne(storage, () => createClient(writing, client)),
    update: (id, changes) => writeOne(storage, () => updateClient(writing, rows.clients.named(id), changes)),
  };
}

/** Of two that create the same client at once, the later one finds it. */
function createClient(writing: Writing, client: ClientFields): WriteResult {
  const { rows, now } = writing;
  const known = rows.clients.withExternalId(client.externalId);
  if (known !== undefined) return updateClient(writing, known, client);
  const at = now();
  const id = rows.clients.insert({
    ...blank(CLIENT, at),
    ...changedFields(writing, client),
    external_id: keyText(client.externalId, "external id"),
    client_code: shortName(client.code),
    national_id: clean(client.nationalId),
    details: cleanOrNull(client.details),
    synced_at: at,
  });
  return { outcome: "created", id };
}

function updateClient(writing: Writing, held: ClientRow | undefined, client: ClientChanges): WriteResult {
  if (held === undefined) return { outcome: "missing" };
  const changes = differences(held, changedFields(writing, client));
  if (changes === null) return unchanged(held.name);
  const at = writing.now();
  writing.rows.clients.update(held.name, { ...changes, synced_at: at, modified: at });
  return { outcome: "updated", id: held.name };
}

/** A field the directory does not tell is not among them: what a person filled in stays. */
function changedFields({ rows }: Writing, client: ClientChanges): Row {
  const { phone } = client;
  const contact = phoneForms(phone ?? "")
    .map((form) => (form === "" ? undefined : rows.contacts.withPhone(form)))
    .find((found) => found !== undefined);
  return {
    external_id: keyText(client.externalId, "external id"),
    client_name: shortName(client.name),
    ...(client.email === undefined ? {} : { email: shortName(client.email) }),
    ...(phone === undefined ? {} : { phone: cleanOrNull(phone) }),
    ...(client.address === undefined ? {} : { address: cleanOrNull(client.address) }),
    ...(client.zone === undefined ? {} : { zone: shortName(client.zone) }),
    ...(contact === undefined ? {} : { contact: contact.name }),
  };
}
