/** An opened CRM, and what the suites ask of it again and again. They use nothing but the port. */
import { afterEach, expect } from "vitest";
import type { CrmAdapter, DocumentReader, Outcome, Position, WriteResult } from "../../../bridge/adapter.ts";
import type { Chat, Contact, Message, MessageChange } from "../../../bridge/records.ts";

/** What the port leaves open. */
export interface Abilities {
  /** Remembers the position of each record, so that an older one never overwrites a newer one. */
  keepsPositions: boolean;
  /** Tells apart messages that share chat and id: both sides of a chat, two members of a group. */
  wholeMessageKey: boolean;
  /** Keeps a reaction for each person, not only the last one. */
  everyonesReaction: boolean;
  /** After a merge, what still names the hidden id lands at the person. */
  remembersMerges: boolean;
  /** Remembers where a merge was told, so that what is told too late takes a hidden id from nobody. */
  ordersMerges: boolean;
  /** Keeps when a message was sent, delivered and read, not only when it last changed. */
  momentOfEachStatus: boolean;
  /** Has a place for clients of a directory. */
  clients: boolean;
  /** Serves its records as documents. */
  documents: boolean;
}

export const everyAbility: Abilities = {
  keepsPositions: true,
  wholeMessageKey: true,
  everyonesReaction: true,
  remembersMerges: true,
  ordersMerges: true,
  momentOfEachStatus: true,
  clients: true,
  documents: true,
};

export interface OpenedCrm {
  adapter: CrmAdapter;
  /** Reads what the CRM holds, where the adapter itself does not serve documents but the test can see them. */
  documents?: DocumentReader;
  /** A person changes a record by hand in the CRM. */
  personEdits?: (doctype: string, name: string, fields: Record<string, string | null>) => Promise<void>;
  /** Ends what was started beside the adapter; the adapter itself is closed before. */
  stop?: () => Promise<void>;
}
export type OpenCrm = () => Promise<OpenedCrm>;

type Fields = Record<string, unknown>;

export interface CrmWorld {
  adapter: CrmAdapter;
  personEdits: OpenedCrm["personEdits"];
  contacts: (items: Contact[], position?: Position, sessionId?: string) => Promise<Outcome[]>;
  chats: (items: Chat[], position?: Position, sessionId?: string) => Promise<Outcome[]>;
  messages: (items: Message[], position?: Position, sessionId?: string) => Promise<Outcome[]>;
  changes: (items: MessageChange[], position?: Position, sessionId?: string) => Promise<Outcome[]>;
  /** The records that match, where the CRM can be looked into; null where it cannot. */
  look: (doctype: string, matching?: Fields) => Promise<Fields[] | null>;
  /** Expects exactly one record to match and to hold the fields; nothing where the CRM cannot be looked into. */
  shows: (doctype: string, matching: Fields, fields: Fields) => Promise<void>;
}

export type CrmWorlds = () => Promise<CrmWorld>;

export function createCrmWorlds(open: OpenCrm): CrmWorlds {
  const opened: OpenedCrm[] = [];
  afterEach(async () => {
    for (const { adapter, stop } of opened.splice(0)) {
      await adapter.close();
      await stop?.();
    }
  });

  return async () => {
    const crm = await open();
    opened.push(crm);
    const { adapter } = crm;
    await adapter.prepare();
    const documents = adapter.documents ?? crm.documents;

    const look: CrmWorld["look"] = async (doctype, matching = {}) =>
      documents === undefined
        ? null
        : documents.list({
            doctype,
            fields: ["*"],
            filters: Object.entries(matching).map(([field, value]) => [field, "=", value]),
            orderBy: [{ field: "creation", direction: "asc" }],
            start: 0,
            limit: 1000,
          });

    return {
      adapter,
      personEdits: crm.personEdits,
      contacts: async (items, position = null, sessionId = "s1") =>
        outcomes(await adapter.upsertContacts({ sessionId, position, items }), items),
      chats: async (items, position = null, sessionId = "s1") =>
        outcomes(await adapter.upsertChats({ sessionId, position, items }), items),
      messages: async (items, position = null, sessionId = "s1") =>
        outcomes(await adapter.upsertMessages({ sessionId, position, items }), items),
      changes: async (items, position = null, sessionId = "s1") =>
        outcomes(await adapter.changeMessages({ sessionId, position, items }), items),
      look,
      shows: async (doctype, matching, fields) => {
        const found = await look(doctype, matching);
        if (found !== null) expect(found).toEqual([expect.objectContaining(fields)]);
      },
    };
  };
}

/** One result per item; a refusal always says why. */
function outcomes(results: WriteResult[], items: unknown[]): Outcome[] {
  expect(results).toHaveLength(items.length);
  for (const { outcome, error } of results)
    if (outcome === "rejected") expect(error).toEqual(expect.stringMatching(/\S/));
  return results.map(({ outcome }) => outcome);
}
