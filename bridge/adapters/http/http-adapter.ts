/** Any CRM with a JSON REST: the calls of the contract, signed, in batches. */
import { z } from "zod";
import type { Batch, CrmAdapter, Position, WriteResult } from "../../adapter.ts";
import type { Clock } from "../../clock.ts";
import { CrmUnavailable } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { MessageChange, Session } from "../../records.ts";
import { createSuspects } from "../suspects.ts";
import { CrmFault, CrmRefusal, mustBeWell, NOT_AS_AGREED } from "./crm-answer.ts";
import { sendBatches, type Keyed } from "./crm-batches.ts";
import { createCrmCalls } from "./crm-calls.ts";
import { readCrmMap, renamed } from "./crm-map.ts";
import { createCrmStats, NO_SESSION } from "./crm-stats.ts";
import { createHttpClients } from "./http-clients.ts";
import { createOptionalCalls } from "./optional-calls.ts";
import { withSharedDigests } from "./shared-digests.ts";

export interface HttpCrmConfig {
  url: string;
  /** Value of `Authorization`. */
  auth?: string | undefined;
  secret?: string | undefined;
  map?: unknown;
  timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 10_000;
const outcomeSchema = z.object({
  outcome: z.enum(["created", "updated", "unchanged", "missing", "rejected"]),
  id: z.union([z.string(), z.number()]).nullish(),
  error: z.string().nullish(),
});
const UNCHANGED: WriteResult = { outcome: "unchanged" };
const NOTHING = { results: [] };

export function openHttpAdapter(
  { url, auth, secret, map, timeoutMs = TIMEOUT_MS }: HttpCrmConfig,
  { clock, log }: { clock: Clock; log: Log },
): CrmAdapter {
  const { paths, fields } = readCrmMap(map);
  const calls = createCrmCalls({ url, auth, secret, clock, timeoutMs });
  const stats = createCrmStats(calls, paths.stats);
  const optional = createOptionalCalls({ trouble: stats.trouble, clock, log });
  /** By path: what one table takes says nothing about another. */
  const suspects = new Map<string, ReturnType<typeof createSuspects>>();
  const suspectsOf = (path: string) => {
    const known = suspects.get(path) ?? createSuspects();
    suspects.set(path, known);
    return known;
  };

  const one = async (verb: "POST" | "PUT", path: string, body: object): Promise<WriteResult> => {
    try {
      const read = outcomeSchema.safeParse(await calls.send(verb, path, body));
      if (!read.success)
        throw new CrmUnavailable(`${verb} ${path}: the CRM did not say what became of it`, NOT_AS_AGREED);
      const { outcome, id, error } = read.data;
      return {
        outcome,
        ...(id === undefined || id === null ? {} : { id: String(id) }),
        ...(error === undefined || error === null ? {} : { error }),
      };
    } catch (error) {
      if (!(error instanceof CrmRefusal)) throw error;
      await mustBeWell(error, stats.trouble);
      return { outcome: "rejected", error: error.message };
    }
  };

  const batch = (
    path: string,
    { sessionId, position }: Pick<Batch<unknown>, "sessionId" | "position">,
    records: Keyed[],
  ): Promise<WriteResult[]> =>
    sendBatches(records, {
      send: (items) => calls.send("POST", path, { sessionId, position, items }),
      suspects: suspectsOf(path),
      trouble: stats.trouble,
    });

  const needed = (
    path: string,
    given: Pick<Batch<unknown>, "sessionId" | "position">,
    records: Keyed[],
  ): Promise<WriteResult[]> =>
    optional.need(
      path,
      () => batch(path, given, records),
      records.map(() => UNCHANGED),
    );

  const inPath = (path: string, sessionId: string): string =>
    path.replaceAll("{sessionId}", encodeURIComponent(sessionId));

  /** The last that were written; what an event tells has none. */
  const settings = new Map<string, Session["settings"]>();
  const withSettings = (session: Session): Session => {
    const { sessionId } = session;
    if (session.settings !== undefined) settings.set(sessionId, session.settings);
    return { ...session, settings: settings.get(sessionId) };
  };

  const clients =
    paths.clients === null
      ? null
      : createHttpClients(calls, { path: paths.clients, names: fields.client, trouble: stats.trouble });

  const adapter: CrmAdapter = {
    name: "http",
    check: async () => {
      await stats.totals(NO_SESSION);
      // An empty batch passes everything a full one must: key, signature, cross-site checks, permission to write.
      const empty = { sessionId: NO_SESSION, position: null, items: [] };
      const answer = await optional
        .need("contacts", () => calls.send("POST", paths.contacts, empty), NOTHING)
        .catch((error: unknown) => {
          // Who refuses a batch because it is empty has looked into it.
          if (error instanceof CrmRefusal) return NOTHING;
          throw error;
        });
      if (!z.object({ results: z.array(z.unknown()) }).safeParse(answer).success)
        throw new CrmUnavailable("the CRM answers a batch without `results`", NOT_AS_AGREED);
    },
    prepare: () => Promise.resolve(),
    close: () => {
      calls.close();
      return Promise.resolve();
    },
    upsertSession: (session, position) => {
      const body = { ...renamed(withSettings(session), fields.session), position };
      const path = inPath(paths.session, session.sessionId);
      return optional.need("session", () => one("PUT", path, body), UNCHANGED);
    },
    noteSession: (sessionId, { totals, lastSync }) => {
      const body = { totals, lastSync: lastSync?.toISOString() ?? null };
      return extra("notes", paths.notes, (path) => one("PUT", inPath(path, sessionId), body));
    },
    upsertContacts: (given) =>
      needed(
        paths.contacts,
        given,
        given.items.map((contact) => ({
          key: `${given.sessionId}|${contact.id}`,
          item: renamed(contact, fields.contact),
        })),
      ),
    upsertChats: (given) =>
      needed(
        paths.chats,
        given,
        given.items.map((chat) => ({
          key: `${given.sessionId}|${chat.chatId}`,
          item: renamed(chat, fields.chat),
        })),
      ),
    upsertMessages: (given) =>
      needed(
        paths.messages,
        given,
        given.items.map((message) => ({
          key: `${given.sessionId}|${message.chatId}|${message.messageId}|${message.fromMe}`,
          item: renamed(message, fields.message),
        })),
      ),
    changeMessages: (given) => changeMessages(given),
    mergeContact: ({ sessionId, from, into, position }) =>
      extra("merge", paths.merge, (path) =>
        orBlamed(`${sessionId}|${from}|${into}`, () =>
          one("POST", path, { sessionId, position, from, into }),
        ),
      ),
    totals: stats.totals,
    chatDigests: (sessionId) => stats.chatDigests(sessionId, optional),
    ...(clients === null ? {} : { clients }),
  };
  return withSharedDigests(adapter, clock);

  /** A merge over which the CRM fails again and again, while it takes messages, is given up as a record is. */
  async function orBlamed(key: string, call: () => Promise<WriteResult>): Promise<WriteResult> {
    const known = suspectsOf(paths.messages);
    const since = known.written();
    try {
      const result = await call();
      known.taken(key, false);
      return result;
    } catch (error) {
      if (!(error instanceof CrmFault) || (await stats.trouble()) !== null) throw error;
      known.failed(key, since);
      if (!known.isToBlame(key)) throw error;
      return { outcome: "rejected", error: error.message };
    }
  }

  /** `path` null: a setting says that the CRM has no such call. */
  function extra(
    kind: string,
    path: string | null,
    call: (path: string) => Promise<WriteResult>,
  ): Promise<WriteResult> {
    if (path !== null) return optional.ask(kind, () => call(path), UNCHANGED);
    optional.notCovered(kind);
    return Promise.resolve(UNCHANGED);
  }

  /** Statuses have a call of their own; the order of the others among themselves is kept. */
  async function changeMessages(given: Batch<MessageChange>): Promise<WriteResult[]> {
    const results: WriteResult[] = [];
    const indexed = given.items.map((change, index) => ({ change, index }));
    for (const isStatus of [true, false]) {
      const part = indexed.filter(({ change }) => (change.kind === "status") === isStatus);
      const written =
        part.length === 0
          ? []
          : await sendChanges(
              given,
              isStatus,
              part.map(({ change }) => change),
            );
      part.forEach(({ index }, n) => {
        results[index] = written[n] ?? { outcome: "rejected", error: "not sent" };
      });
    }
    return results;
  }

  async function sendChanges(
    given: { sessionId: string; position: Position },
    isStatus: boolean,
    changes: MessageChange[],
  ): Promise<WriteResult[]> {
    const records = changes.map((change) => ({
      key: `${given.sessionId}|${change.chatId}|${change.messageId}`,
      item: change.kind === "status" ? statusOf(change) : renamed(change, fields.change),
    }));
    if (isStatus) return needed(paths.statuses, given, records);
    const { changes: path } = paths;
    const instead = records.map(() => UNCHANGED);
    if (path !== null) return optional.ask("changes", () => batch(path, given, records), instead);
    optional.notCovered("changes");
    return instead;
  }

  function statusOf({ chatId, messageId, status, at, error }: MessageChange & { kind: "status" }): object {
    return renamed({ messageId, chatId, status, at, error }, fields.status);
  }
}
