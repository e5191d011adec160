/** Clients of a remote directory in a CRM that has a place for them. */
import { z } from "zod";
import type { ClientStore, WriteResult } from "../../adapter.ts";
import { CrmUnavailable } from "../../errors.ts";
import { CrmRefusal, mustBeWell, NOT_AS_AGREED, type AskTrouble } from "./crm-answer.ts";
import type { CrmCalls } from "./crm-calls.ts";
import { renamed, type Names } from "./crm-map.ts";

const id = z.union([z.string(), z.number()]).transform(String);
const found = z.object({
  clients: z.array(
    z.object({
      id,
      matchedBy: z.enum(["externalId", "nationalId"]),
      externalId: id.nullish().transform((given) => given || null),
    }),
  ),
});
const written = z.object({
  outcome: z.enum(["created", "updated", "unchanged", "missing", "rejected"]),
  id: id.nullish(),
  error: z.string().nullish(),
});

export function createHttpClients(
  calls: CrmCalls,
  { path, names, trouble }: { path: string; names: Names; trouble: AskTrouble },
): ClientStore {
  const write = async (verb: "POST" | "PATCH", where: string, client: object): Promise<WriteResult> => {
    try {
      const answer = written.safeParse(await calls.send(verb, where, renamed(client, names)));
      if (!answer.success)
        throw new CrmUnavailable("the CRM did not say what became of the client", NOT_AS_AGREED);
      const { outcome, id: name, error } = answer.data;
      return {
        outcome,
        ...(name === undefined || name === null ? {} : { id: name }),
        ...(error === undefined || error === null ? {} : { error }),
      };
    } catch (error) {
      if (!(error instanceof CrmRefusal)) throw error;
      await mustBeWell(error, trouble);
      return { outcome: "rejected", error: error.message };
    }
  };
  return {
    find: async ({ externalId, nationalId }) => {
      const query = { externalId, ...(nationalId === null ? {} : { nationalId }) };
      const answer = await calls.get(path, query).catch(async (error: unknown) => {
        if (error instanceof CrmRefusal) await mustBeWell(error, trouble);
        throw error;
      });
      const read = found.safeParse(answer);
      if (!read.success) throw new CrmUnavailable("the CRM did not say which clients it has", NOT_AS_AGREED);
      return read.data.clients;
    },
    create: (client) => write("POST", path, client),
    update: (client, changes) => write("PATCH", `${path}/${encodeURIComponent(client)}`, changes),
  };
}
