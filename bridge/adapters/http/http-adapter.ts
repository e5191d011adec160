/** Any CRM with a JSON REST: the calls of the contract, signed, in batches. */
import { z } from "zod";
import type { Batch, ChatDigest, CrmAdapter, Position, Totals, WriteResult } from "../../adapter.ts";
import type { Clock } from "../../clock.ts";
import { CrmMisconfigured, CrmUnavailable } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { MessageChange } from "../../records.ts";
import { CrmRefusal, NotCovered } from "./crm-answer.ts";
import { sendBatches, type Keyed } from "./crm-batches.ts";
import { createCrmCalls } from "./crm-calls.ts";
import { readCrmMap, renamed } from "./crm-map.ts";
import { createHttpClients } from "./http-clients.ts";

export interface HttpCrmConfig {
  url: string;
  /** Value of `Authorization`. */
  auth?: string | undefined;
  secret?: string | undefined;
  map?: unknown;
  timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 10_000;
/** A session that no hub has: a question about it costs nothing. */
const NO_SESSION = "_hub";

const outcomeSchema = z.object({
  outcome: z.enum(["created", "updated", "unchanged", "missing", "rejected"]),
  id: z.union([z.string(), z.number()]).nullish(),
  error: z.string().nullish(),
});
const count = z.int().min(0);
const totalsSchema = z.object({ contacts: count, chats: count, messages: count });
const digestsSchema = z.object({
  digests: z.array(
    z.object({ chatId: z.string(), messages: count, oldest: z.int().nullable(), newest: z.int().nullable() }),
  ),
});

export function openHttpAdapter(
  { url, auth, secret, map, timeoutMs = TIMEOUT_MS }: HttpCrmConfig,
  { clock, log }: { clock: Clock; log: Log },
): CrmAdapter {
  const { paths, fields } = readCrmMap(map);
  const calls = createCrmCalls({ url, auth, secret, clock, timeoutMs });
  let told = new Set<string>();

  /** An event the CRM has no use for is not sent; said once. */
  const notCovered = (kind: string): WriteResult => {
    if (!told.has(kind)) log.info({ kind }, "crm.not_covered");
    told = told.add(kind);
    return { outcome: "unchanged" };
  };

  const one = async (
    kind: string,
    verb: "POST" | "PUT",
    path: string,
    body: object,
  ): Promise<WriteResult> => {
    try {
      const read = outcomeSchema.safeParse(await calls.send(verb, path, body));
      if (!read.success) throw new CrmUnavailable(`${verb} ${path}: the CRM did not say what became of it`);
      const { outcome, id, error } = read.data;
      return {
        outcome,
        ...(id === undefined || id === null ? {} : { id: String(id) }),
        ...(error === undefined || error === null ? {} : { error }),
      };
    } catch (error) {
      if (error instanceof NotCovered) return notCovered(kind);
      if (error instanceof CrmRefusal) return { outcome: "rejected", error: error.message };
      throw error;
    }
  };

  const batch = (
    path: string,
    { sessionId, position }: Pick<Batch<unknown>, "sessionId" | "position">,
    records: Keyed[],
  ): Promise<WriteResult[]> =>
    sendBatches(records, (items) => calls.send("POST", path, { sessionId, position, items }));

  const inPath = (path: string, sessionId: string): string =>
    path.replaceAll("{sessionId}", encodeURIComponent(sessionId));

  const totals = async (sessionId: string): Promise<Totals> => {
    const read = totalsSchema.safeParse(await calls.get(paths.stats, { sessionId }));
    if (!read.success) throw new CrmUnavailable("the CRM did not say how much it holds");
    return read.data;
  };

  const clients = paths.clients === null ? null : createHttpClients(calls, paths.clients, fields.client);

  return {
    name: "http",
    check: async () => {
      await totals(NO_SESSION);
      // An empty batch passes everything a full one must: key, signature, cross-site checks, permission to write.
      const answer = await calls.send("POST", paths.contacts, {
        sessionId: NO_SESSION,
        position: null,
        items: [],
      });
      if (!z.object({ results: z.array(z.unknown()) }).safeParse(answer).success)
        throw new CrmUnavailable("the CRM answers a batch without `results`");
    },
    prepare: () => Promise.resolve(),
    close: () => {
      calls.close();
      return Promise.resolve();
    },
    upsertSession: (session, position) =>
      one("session", "PUT", inPath(paths.session, session.sessionId), {
        ...renamed(session, fields.session),
        settings: {},
        position,
      }),
    noteSession: (sessionId, { totals, lastSync }) =>
      paths.notes === null
        ? Promise.resolve(notCovered("notes"))
        : one("notes", "PUT", inPath(paths.notes, sessionId), {
            totals,
            lastSync: lastSync?.toISOString() ?? null,
          }),
    upsertContacts: (given) =>
      batch(
        paths.contacts,
        given,
        given.items.map((contact) => ({
          key: `${given.sessionId}|${contact.id}`,
          item: renamed(contact, fields.contact),
        })),
      ),
    upsertChats: (given) =>
      batch(
        paths.chats,
        given,
        given.items.map((chat) => ({
          key: `${given.sessionId}|${chat.chatId}`,
          item: renamed(chat, fields.chat),
        })),
      ),
    upsertMessages: (given) =>
      batch(
        paths.messages,
        given,
        given.items.map((message) => ({
          key: `${given.sessionId}|${message.chatId}|${message.messageId}|${message.fromMe}`,
          item: renamed(message, fields.message),
        })),
      ),
    changeMessages: (given) => changeMessages(given),
    mergeContact: ({ sessionId, from, into, position }) =>
      paths.merge === null
        ? Promise.resolve(notCovered("merge"))
        : one("merge", "POST", paths.merge, { sessionId, position, from, into }),
    totals,
    chatDigests: async (sessionId, chatIds): Promise<ChatDigest[]> => {
      const read = digestsSchema.safeParse(await calls.get(paths.stats, { sessionId, chats: "1" }));
      if (!read.success)
        throw new CrmMisconfigured(
          "The CRM's stats lack `digests` when asked with chats=1: chats cannot be compared",
        );
      const wanted = chatIds === undefined ? null : new Set(chatIds);
      return read.data.digests.filter(({ chatId }) => wanted === null || wanted.has(chatId));
    },
    ...(clients === null ? {} : { clients }),
  };

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
    const path = isStatus ? paths.statuses : paths.changes;
    if (path === null) return changes.map(() => notCovered("changes"));
    return batch(
      path,
      given,
      changes.map((change) => ({
        key: `${given.sessionId}|${change.chatId}|${change.messageId}`,
        item: change.kind === "status" ? statusOf(change) : renamed(change, fields.change),
      })),
    );
  }

  function statusOf({ chatId, messageId, status, at, error }: MessageChange & { kind: "status" }): object {
    return renamed({ messageId, chatId, status, at, error }, fields.status);
  }
}
