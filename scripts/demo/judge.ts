/** Three books compared: what WhatsApp handed over, what the hub has, what the CRM has. */
import type { Stage } from "./stage.ts";

export interface Judgement {
  /** Messages of contacts that WhatsApp handed over and the CRM does not have. */
  lost: number;
  /** Messages the CRM has more than once. */
  duplicated: number;
  /** How many more, or fewer, the CRM has than the hub. */
  difference: number;
}

export const isRight = ({ lost, duplicated, difference }: Judgement): boolean =>
  lost === 0 && duplicated === 0 && difference === 0;

export async function judge({ whatsapp, hub, crm }: Stage, session: string): Promise<Judgement> {
  const rows = await crm.all<{ message_id: string }>("WhatsApp Message", ["message_id"]);
  const held = new Set(rows.map((row) => row.message_id));
  const owed = await whatsapp.ledger({ limit: 100_000 });
  const fromContacts = owed.filter((entry) => entry.contact !== entry.account && entry.kind === "text");
  const { total } = await hub.get<{ total: number }>(`/api/messages/${session}?limit=1`);
  return {
    lost: fromContacts.filter((entry) => !held.has(entry.id)).length,
    duplicated: rows.length - held.size,
    difference: held.size - total,
  };
}
