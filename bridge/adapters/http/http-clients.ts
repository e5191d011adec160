/** Clients of a remote directory in a CRM that has a place for them. */
import { z } from "zod";
import type { ClientStore, WriteResult } from "../../adapter.ts";
import { CrmUnavailable } from "../../errors.ts";
import { CrmRefusal } from "./crm-answer.ts";
import type { CrmCalls } from "./crm-calls.ts";
import { renamed, type CrmFields } from "./crm-map.ts";

const id = z.union([z.string(), z.number()]).transform(String);
const found = z.object({
  clients: z.array(
    z.object({
      id,
      matchedBy: z.enum(["externalId", "nationalId"]),
      externalId: id.nullable().default(null),
    }),
  ),
});
const written = z.object({
  outcome: z.enum(["created", "updated", "unchanged", "missing", "rejected"]),
  id: id.optional(),
  error: z.string().optional(),
});

export function createHttpClients(calls: CrmCalls, path: string, names: CrmFields["client"]): ClientStore {
  const write = async (verb: "POST" | "PATCH", where: string, client: object): Promise<WriteResult> => {
    try {
      const answer = written.safeParse(await calls.send(verb, where, renamed(client, names)));
      if (!answer.success) throw new CrmUnavailable("the CRM did not say what became of the client");
      const { outcome, id: name, error } = answer.data;
      return {
        outcome,
        ...(name === undefined ? {} : { id: name }),
        ...(error === undefined ? {} : { error }),
      };
    } catch (error) {
      if (error instanceof CrmRefusal) return { outcome: "rejected", error: error.message };
      throw error;
    }
  };
  return {
    find: async ({ externalId, nationalId }) => {
      const answer = await calls.get(path, { externalId, ...(nationalId === null ? {} : { nationalId }) });
      const read = found.safeParse(answer);
      if (!read.success) throw new CrmUnavailable("the CRM did not say which clients it has");
      return read.data.clients;
    },
    create: (client) => write("POST", path, client),
    update: (client, changes) => write("PATCH", `${path}/${encodeURIComponent(client)}`, changes),
  };
}
