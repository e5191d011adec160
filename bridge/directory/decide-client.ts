/** What becomes of one client of the directory, given whom the CRM has: nothing is read or written here. */
import type { ClientCandidate, ClientChanges, ClientFields, DirectoryClient } from "../adapter.ts";
import { normalPhone } from "./phone.ts";

export type Decision =
  | { action: "create"; client: ClientFields }
  | { action: "update"; id: string; changes: ClientChanges }
  | { action: "skip" }
  | { action: "refuse"; error: string };

export interface ClientRules {
  /** Begins the code of a client to whom the directory gives none. */
  codePrefix: string;
  /** Country code of phone numbers that are written without one. */
  country: string;
}

/** `nationalId` is the client's, in its normal form. */
export function decideClient(
  {
    client,
    nationalId,
    candidates,
  }: { client: DirectoryClient; nationalId: string | null; candidates: ClientCandidate[] },
  rules: ClientRules,
): Decision {
  const [known, another] = candidates;
  if (known !== undefined && another !== undefined)
    return { action: "refuse", error: `${candidates.length} clients of the CRM could be this one` };
  // Of two records with one national id the first keeps the client: otherwise they would take it from each other every day.
  const owner = known?.matchedBy === "nationalId" ? known.externalId : null;
  if (owner !== null && owner !== client.externalId)
    return {
      action: "refuse",
      error: "the client with this national id belongs to another record of the directory",
    };
  if (known !== undefined) return { action: "update", id: known.id, changes: changesOf(client, rules) };
  if (nationalId === null) return { action: "skip" };
  return { action: "create", client: fieldsOf(client, nationalId, rules) };
}

/** Never more than the white list: who a client is, what they may do and how they log in belong to the CRM. */
function changesOf(client: DirectoryClient, { country }: ClientRules): ClientChanges {
  const email = addressOf(client.email);
  const phone = normalPhone(client.phone, country);
  return {
    externalId: client.externalId,
    name: client.name,
    ...(email === null ? {} : { email }),
    ...(phone === null ? {} : { phone }),
    ...(client.address === null ? {} : { address: client.address }),
    ...(client.zone === null ? {} : { zone: client.zone }),
  };
}

const fieldsOf = (client: DirectoryClient, nationalId: string, rules: ClientRules): ClientFields => ({
  externalId: client.externalId,
  code: client.code ?? `${rules.codePrefix}-${client.externalId}`,
  name: client.name,
  email: addressOf(client.email) ?? `${client.externalId}@sincronizado.local`,
  phone: normalPhone(client.phone, rules.country),
  address: client.address,
  zone: client.zone,
  nationalId,
  details: client.details,
});

/** People who must fill in something write "no tiene": a CRM would refuse the client for it. */
const addressOf = (written: string | null): string | null =>
  written !== null && /^[^\s@]+@[^\s@]+$/.test(written) ? written : null;
