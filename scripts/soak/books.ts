/** The books at the end: what people said beside what the CRM was told, what the CRM answered beside what people read. */
import type { LedgerEntry } from "../../test/whatsapp/state/ledger.ts";
import type { SentMessage } from "../../test/whatsapp/state/sent.ts";
import { until } from "../../test/support/until.ts";
import { look } from "./figures.ts";
import type { SoakStand } from "./stand.ts";
import type { Traffic } from "./traffic.ts";

const PATIENCE_MS = 120_000;
const PAGE = 10_000;

export interface Books {
  /** Messages of people that never reached the CRM, and answers that the hub took and nobody read. */
  lost: number;
  /** Messages that the CRM was told of by more than one event, and answers that were read under more than one id. */
  doubled: number;
  /** Messages told after a later one of their chat. */
  outOfOrder: number;
  /** Of each that was lost. */
  traces: object[];
}

/** Waits until nothing is on its way any more; what still is when the patience ends. */
export async function comesToRest(stand: SoakStand): Promise<string[]> {
  const left = async (): Promise<string[]> => {
    const { unacked } = await stand.whatsapp.ledgerSummary();
    const { backlog } = await look(stand);
    return [
      ...(unacked === 0 ? [] : [`${unacked} messages not acknowledged to WhatsApp`]),
      ...(backlog === 0 ? [] : [`${backlog} messages or deliveries in the hub`]),
    ];
  };
  return until("everything at rest", async () => (await left()).length === 0, {
    timeoutMs: PATIENCE_MS,
    everyMs: 250,
  }).then(() => [], left);
}

export async function compareBooks(stand: SoakStand, traffic: Traffic): Promise<Books> {
  const told = new Map<string, number>();
  const latest = new Map<string, number>();
  let outOfOrder = 0;
  for (const { event, sessionId, chatId, messageId, seq } of stand.crm.accepted()) {
    if (event !== "message.received" || messageId === null) continue;
    const key = `${sessionId} ${messageId}`;
    told.set(key, (told.get(key) ?? 0) + 1);
    const chat = `${sessionId} ${chatId ?? ""}`;
    if (seq < (latest.get(chat) ?? 0)) outOfOrder += 1;
    latest.set(chat, Math.max(seq, latest.get(chat) ?? 0));
  }
  const sessions = new Map(stand.accounts.map(({ number, sessionId }) => [number, sessionId]));
  const said = await inPages((held: LedgerEntry[]) =>
    stand.whatsapp.ledger({ after: held.length, limit: PAGE }),
  );
  const untold = said.filter(
    ({ kind, account, id }) => kind === "text" && !told.has(`${sessions.get(account) ?? ""} ${id}`),
  );
  const read = await inPages((held: SentMessage[]) =>
    stand.whatsapp.sent({ after: held.at(-1)?.n ?? 0, limit: PAGE }),
  );
  const readAs = new Map<string, Set<string>>();
  for (const { text, id } of read)
    if (text !== undefined) readAs.set(text, (readAs.get(text) ?? new Set()).add(id));
  const answers = traffic.answered();
  const unread = answers.filter(({ text }) => !readAs.has(text));
  const doubled =
    [...told.values()].filter((times) => times > 1).length +
    answers.filter(({ text }) => (readAs.get(text)?.size ?? 0) > 1).length;
  const traces = await Promise.all([
    ...untold.map(({ account, id, ...entry }) =>
      traceOf(stand, { sessionId: sessions.get(account) ?? "", messageId: id, said: entry }),
    ),
    ...unread.map(({ account, messageId }) =>
      traceOf(stand, { sessionId: sessions.get(account) ?? "", messageId, said: null }),
    ),
  ]);
  return { lost: traces.length, doubled, outOfOrder, traces };
}

/** What is known of a message that was lost: at WhatsApp, and in the hub. All of it is made up, so it may be shown. */
async function traceOf(
  { hub }: SoakStand,
  { sessionId, messageId, said }: { sessionId: string; messageId: string; said: object | null },
): Promise<object> {
  const trace = await hub
    .get<object>(`/api/messages/${sessionId}/${messageId}/trace`)
    .catch((cause: unknown) => ({ problem: String(cause) }));
  return { sessionId, messageId, said, trace };
}

async function inPages<T>(next: (held: T[]) => Promise<T[]>): Promise<T[]> {
  const all: T[] = [];
  for (;;) {
    const page = await next(all);
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}
