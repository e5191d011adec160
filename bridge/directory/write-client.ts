/** One client into the CRM, on its own: whatever is wrong with it stays with it, be it the CRM that fails. */
import type { ClientCandidate, ClientStore, DirectoryClient, WriteResult } from "../adapter.ts";
import { CrmMisconfigured, CrmUnavailable } from "../errors.ts";
import { decideClient, type ClientRules } from "./decide-client.ts";
import { normalNationalId } from "../national-id.ts";

/** Trouble of the CRM itself. `isReached`: it answered what it knows of the client, and failed to write it. */
export interface ClientTrouble {
  kind: "trouble";
  cause: CrmUnavailable | CrmMisconfigured;
  isReached: boolean;
}

export type ClientOutcome =
  | { kind: "created" | "updated" | "unchanged" | "skipped" }
  | { kind: "error"; error: string }
  | ClientTrouble;

const isCrmTrouble = (error: unknown): error is ClientTrouble["cause"] =>
  error instanceof CrmUnavailable || error instanceof CrmMisconfigured;

export async function writeClient(
  client: DirectoryClient,
  { clients, rules }: { clients: ClientStore; rules: ClientRules },
): Promise<ClientOutcome> {
  let candidates: ClientCandidate[] | null = null;
  try {
    const nationalId = normalNationalId(client.nationalId);
    candidates = await clients.find({ externalId: client.externalId, nationalId });
    const decision = decideClient({ client, nationalId, candidates }, rules);
    switch (decision.action) {
      case "skip":
        return { kind: "skipped" };
      case "refuse":
        return { kind: "error", error: decision.error };
      case "create":
        return outcomeOf(await clients.create(decision.client));
      case "update":
        return outcomeOf(await clients.update(decision.id, decision.changes));
    }
  } catch (error) {
    if (isCrmTrouble(error)) return { kind: "trouble", cause: error, isReached: candidates !== null };
    return { kind: "error", error: error instanceof Error ? error.message : String(error) };
  }
}

function outcomeOf({ outcome, error }: WriteResult): ClientOutcome {
  switch (outcome) {
    case "created":
    case "updated":
    case "unchanged":
      return { kind: outcome };
    case "missing":
      return { kind: "error", error: error ?? "the client vanished from the CRM while it was written" };
    case "rejected":
      return { kind: "error", error: error ?? "the CRM refuses this client" };
  }
}
