/** What a CRM says about how much it holds: of a session, and, where it counts by chat, of each chat. */
import { z } from "zod";
import type { ChatDigest, Totals } from "../../adapter.ts";
import { CrmMisconfigured, CrmUnavailable } from "../../errors.ts";
import { codeOf, CrmRefusal, NOT_AS_AGREED, NotCovered, type AskTrouble } from "./crm-answer.ts";
import type { CrmCalls } from "./crm-calls.ts";
import type { OptionalCalls } from "./optional-calls.ts";

/** A session that no hub has: a question about it costs nothing. */
export const NO_SESSION = "_hub";

const count = z.int().min(0);
const totalsSchema = z.object({ contacts: count, chats: count, messages: count });
const digestsSchema = z.array(
  z.object({ chatId: z.string(), messages: count, oldest: z.int().nullable(), newest: z.int().nullable() }),
);

export interface CrmStats {
  totals(sessionId: string): Promise<Totals>;
  /** Of all chats. Empty where the CRM does not count by chat: then the newest messages of the top chats are read each time. */
  chatDigests(sessionId: string, optional: OptionalCalls): Promise<ChatDigest[]>;
  /** Whether it can be asked at all. */
  trouble: AskTrouble;
}

export function createCrmStats(calls: Pick<CrmCalls, "get">, path: string): CrmStats {
  const totals: CrmStats["totals"] = async (sessionId) => totalsOf(await asked({ sessionId }));

  const asked = async (query: { sessionId: string; chats?: string }): Promise<unknown> => {
    try {
      return await calls.get(path, query);
    } catch (error) {
      if (!(error instanceof CrmRefusal)) throw error;
      throw new CrmMisconfigured(`the CRM refuses to say how much it holds: ${error.message}`, {
        code: codeOf(error.status),
        cause: error,
      });
    }
  };

  const digests = async (sessionId: string): Promise<ChatDigest[]> => {
    const answer = await asked({ sessionId, chats: "1" }).catch((error: unknown) => {
      // Some refuse a question with a parameter that they do not know.
      if (error instanceof CrmMisconfigured && error.cause instanceof CrmRefusal)
        throw new NotCovered(error.message, { isMeant: false, code: error.code });
      throw error;
    });
    totalsOf(answer);
    const { digests: counted } = z.object({ digests: z.unknown().optional() }).parse(answer);
    if (counted === undefined || counted === null)
      throw new NotCovered("the CRM counts no chats", { isMeant: true, ...NOT_AS_AGREED });
    const read = digestsSchema.safeParse(counted);
    if (!read.success)
      throw new CrmMisconfigured("The `digests` in the CRM's stats are not as agreed", NOT_AS_AGREED);
    return read.data;
  };

  return {
    totals,
    chatDigests: (sessionId, optional) => optional.ask("digests", () => digests(sessionId), []),
    trouble: async () => {
      try {
        await totals(NO_SESSION);
        return null;
      } catch (error) {
        if (error instanceof CrmUnavailable || error instanceof CrmMisconfigured) return error;
        throw error;
      }
    },
  };
}

function totalsOf(answer: unknown): Totals {
  const read = totalsSchema.safeParse(answer);
  if (!read.success) throw new CrmUnavailable("the CRM did not say how much it holds", NOT_AS_AGREED);
  return read.data;
}
