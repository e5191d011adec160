/**
 * History: what Baileys fetched and emits is stored in small transactions, then the stanza that announced it is done. Baileys
 * may merge pieces, drop them with its socket, or fail to fetch one and go on: what is not there is fetched again, and the
 * import is not over before it is.
 */
import type { Log } from "../core/log.ts";
import type { Fact } from "../core/facts.ts";
import { fingerprintOf } from "./auth-state.ts";
import { downloadAndProcessHistorySyncNotification, type AuthenticationCreds } from "./baileys.ts";
import { statusOf } from "./disconnect.ts";
import { ONLY_WHATSAPP } from "./file-hosts.ts";
import type { Generation } from "./generation.ts";
import { piecesOf } from "./history-pieces.ts";
import { bears, createHistoryNotices, type Piece, type PieceName } from "./history-notices.ts";
import type { HistoryNotice } from "./intake.ts";
import { meOf } from "./message-of-stanza.ts";
import type { RecordFacts } from "./record.ts";
import {
  factsOfHistory,
  isImport,
  isOnDemand,
  syncTypeName,
  type HistoryChunk,
} from "./translate/history.ts";

/** A phone that has sent nothing more by then went away, or will send no more. */
const PAUSED_AFTER_MS = 2 * 60_000;
/** Small enough that the event loop and live messages get their turn in between. */
const FACTS_AT_ONCE = 200;
const DAY_SECONDS = 86_400;
const COMPLETE = 100;
/** Answers of file servers that mean: gone. One of them alone proves nothing. */
const GONE = [404, 410];
const GONE_TRIES = 3;

export interface HistoryRecorder {
  /** WhatsApp is there to send what is missing. */
  connected(): void;
  /** A piece was announced; Baileys is about to fetch it. */
  announced(notice: HistoryNotice): void;
  /** Baileys fetched a piece, and holds it back or emits it now. */
  fetched(name: PieceName): void;
  /** Baileys emitted what it fetched since it last did. */
  received(chunk: EmittedChunk): void;
  /** Fetches and stores a piece itself: one that nobody else does, or one that somebody asked for. */
  fetchAgain(notice: HistoryNotice): Promise<void>;
  /** True while somebody cares for it. */
  isUnderWay(digest: Uint8Array): boolean;
  /** Some piece is on its way. */
  isBusy(): boolean;
  /** Some piece was not to be had so far. */
  isMissing(): boolean;
  /** Resolves when everything received so far is stored. */
  idle(): Promise<void>;
}

export type EmittedChunk = HistoryChunk & PieceName;

/** A piece, and what its end says of the whole. */
interface Brought {
  piece: Piece;
  stage: Stage;
}

export function createHistoryRecorder({
  sessionId,
  creds,
  generation,
  record,
  historyDays,
  pausedAfterMs = PAUSED_AFTER_MS,
  now,
  log,
}: {
  sessionId: string;
  creds: AuthenticationCreds;
  generation: Generation;
  record: RecordFacts;
  /** Messages older than this are left out; null keeps all. */
  historyDays: number | null;
  pausedAfterMs?: number | undefined;
  now: () => Date;
  log: Log;
}): HistoryRecorder {
  const notices = createHistoryNotices(now);
  /** What was stored and may be the last one, by piece. */
  const ends = new Map<Piece, Stage>();
  const login = fingerprintOf(creds);
  let work: Promise<void> = Promise.resolve();
  let hasLost = false;
  let silence: NodeJS.Timeout | undefined;
  generation.onFence(() => clearTimeout(silence));

  /** The end may never come, and whoever waits for it is told how far it is. */
  function pauseLater(): void {
    clearTimeout(silence);
    silence = setTimeout(() => {
      if (generation.isFenced()) return;
      const lacking = hasLost || notices.isBusy() || recorder.isMissing();
      void inOrder(() => recordOrFence([{ kind: "history-paused", lacking }], []));
    }, pausedAfterMs);
    silence.unref();
  }

  async function store(chunk: HistoryChunk, brought: Brought[]): Promise<void> {
    const me = meOf(creds);
    if (generation.isFenced() || me === null) return;
    // What somebody asked for is wanted, however old it is.
    const keepAll = historyDays === null || isOnDemand(chunk.syncType);
    const oldest = keepAll ? 0 : Math.floor(now().getTime() / 1000) - historyDays * DAY_SECONDS;
    const facts = factsOfHistory(sessionId, chunk, { me, oldest });
    const early = brought.filter(({ piece, stage }) => isEnd(stage) && isEarly(piece, brought));
    const closed = brought.filter((one) => !early.includes(one));
    facts.push(...closed.map((one) => stageFact(one, login)));
    const closes = closed.map(({ piece }) => piece.notice.digest);
    const pieces = piecesOf(facts, FACTS_AT_ONCE);
    for (const piece of pieces) {
      if (generation.isFenced()) return;
      const isLast = piece === pieces.at(-1);
      await recordOrFence(piece, isLast ? closes : []);
      if (!isLast) await nextTurn();
    }
    for (const { piece, stage } of early) hold(piece, stage);
    await settle(closed.map(({ piece }) => piece));
    if (brought.some(({ stage }) => isImport(stage.syncType)) && !generation.isFenced()) pauseLater();
  }

  const isEarly = (piece: Piece, brought: Brought[]): boolean =>
    notices.missingFor(piece).some((missing) => !brought.some((one) => one.piece === missing));

  /** Its row stays open: after a crash it is fetched once more, and says again that it is the last one. */
  function hold(piece: Piece, stage: Stage): void {
    piece.state = "held";
    ends.set(piece, stage);
  }

  /** These are done; and so is the last one, if it waited for no others. */
  async function settle(done: Piece[]): Promise<void> {
    notices.done(done);
    for (const [piece, stage] of ends) {
      if (notices.missingFor(piece).length > 0 || generation.isFenced()) continue;
      await recordOrFence([stageFact({ piece, stage }, login)], [piece.notice.digest]);
      ends.delete(piece);
      notices.done([piece]);
    }
  }

  async function recordOrFence(facts: Fact[], closes: Uint8Array[]): Promise<void> {
    try {
      await record({ sessionId, facts, closes });
    } catch (cause) {
      generation.fence(cause);
    }
  }

  const inOrder = (job: () => Promise<void>): Promise<void> =>
    (work = work.then(job).catch((cause: unknown) => generation.fence(cause)));

  async function download(piece: Piece): Promise<HistoryChunk | null> {
    try {
      return await downloadAndProcessHistorySyncNotification(piece.notice.notification, ONLY_WHATSAPP);
    } catch (cause) {
      const error = cause instanceof Error ? cause.name : "unknown";
      const status = cause instanceof Error ? statusOf(cause) : null;
      log.warn({ sessionId, error, status }, "whatsapp.history_not_fetched");
      piece.state = "failed";
      if (status !== null && GONE.includes(status)) piece.gone++;
      return null;
    }
  }

  /** The phone offers a piece for some days only, and the import would wait for it for ever. */
  async function giveUp(piece: Piece): Promise<void> {
    log.error({ sessionId }, "whatsapp.history_lost");
    hasLost = true;
    await recordOrFence([], [piece.notice.digest]);
    await settle([piece]);
  }

  const recorder: HistoryRecorder = {
    connected: pauseLater,
    announced: (notice) => {
      // Baileys tells of each chat but once, and so not whether the phone has still more of it: that is read from the chunk.
      if (isOnDemand(notice.notification.syncType)) void recorder.fetchAgain(notice);
      else notices.take(notice, "library");
    },
    fetched: (name) => {
      const piece = notices.named(name);
      if (piece === undefined) return;
      piece.state = "fetched";
      // Baileys fetches one after the other: those before it failed.
      for (const { state, notice } of notices.before(piece))
        if (state === "library") void recorder.fetchAgain(notice);
    },
    received: (chunk) => {
      const pieces = notices.in("fetched");
      // Several may be merged into this one event, which bears the name of the last of them.
      const brought = pieces.map((piece) => {
        piece.state = "storing";
        return { piece, stage: bears(piece, chunk) ? chunk : piece.notice.notification };
      });
      void inOrder(() => store(chunk, brought));
    },
    fetchAgain: (notice) => {
      if (["ours", "storing", "held"].includes(notices.find(notice)?.state ?? "")) return work;
      const piece = notices.take(notice, "ours");
      return inOrder(async () => {
        if (generation.isFenced()) return;
        const chunk = await download(piece);
        if (chunk !== null) {
          piece.state = "storing";
          await store(chunk, [{ piece, stage: chunk }]);
        } else if (piece.gone >= GONE_TRIES) await giveUp(piece);
      });
    },
    isUnderWay: (digest) => notices.isUnderWay(digest),
    isBusy: () => notices.isBusy(),
    isMissing: () => notices.in("failed").length > 0,
    idle: () => work,
  };
  return recorder;
}

type Stage = Pick<HistoryChunk, "syncType" | "progress">;

const isEnd = ({ syncType, progress }: Stage): boolean => isImport(syncType) && (progress ?? 0) >= COMPLETE;

/** Where the history stands after a piece. */
function stageFact({ piece, stage }: Brought, login: string): Fact {
  const { syncType, progress } = stage;
  const order = piece.notice.notification.chunkOrder ?? 0;
  return {
    kind: "history",
    syncType: syncTypeName(syncType),
    progress: progress ?? null,
    import: isImport(syncType),
    done: isEnd(stage) || isOnDemand(syncType),
    piece: order > 0 ? { login, order } : null,
  };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
