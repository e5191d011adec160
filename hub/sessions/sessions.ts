/** All accounts of the hub: the orders callers may give, and what they get back. */
import type { CleanupMode, CleanupReport } from "../core/cleanup.ts";
import type { Clock } from "../core/clock.ts";
import type { IsClockTrusted } from "../core/clock-trust.ts";
import { HubError } from "../core/errors.ts";
import type { JidForm } from "../core/jid.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import type { SessionFigures } from "../core/session-figures.ts";
import { isOpen } from "../core/session-state.ts";
import type { Session, SessionSettings } from "../core/session.ts";
import type { FigureStore, SessionStore } from "../core/store.ts";
import type { UnreadableCounts } from "../core/unreadable.ts";
import type { WhatsAppConnector, WhatsAppLink } from "../core/whatsapp.ts";
import type { ReasonOf } from "./after-close.ts";
import { createDirectory, type SessionInput } from "./directory.ts";
import { createLoginSweep } from "./login-sweep.ts";
import type { Logins } from "./logins.ts";
import { createFigures, type OnMoved } from "./figures.ts";
import type { RunnerParts, WatchdogParts } from "./runner-parts.ts";
import { restoreAll } from "./restore-all.ts";
import { systemSchedule, type Schedule } from "./schedule.ts";
import type { Swept } from "./sealed.ts";
import type { SessionRunner } from "./session-runner.ts";
import { hasArrived, isLinking, notReady } from "./arrival.ts";
import { createInOrder, createSlots } from "./slots.ts";
import { createStoreWatch } from "./store-watch.ts";

/** Name of the key or the user who orders: it is told to CRMs. */
interface Author {
  by?: string;
}

/** Every `sessionId` may also be the integer, written as digits. Unknown and deleted ones are `SESSION_NOT_FOUND`. */
export interface Sessions {
  /** Does not connect. A visible id is answered as it is; a deleted one comes back with its integer and its history. */
  create(input: SessionInput): Promise<{ session: Session; created: boolean }>;
  list(): Promise<Session[]>;
  get(sessionId: string): Promise<Session>;
  /**
   * Answers at once, or within `waitMs` (at most 8 s) when it gets somewhere: a code on show, open, or refused. No effect
   * when connected or connecting; where the next try is waited for, it is made now. A session deleted less than seven days ago is
   * resumed.
   */
  connect(sessionId: string, options?: Author & { waitMs?: number }): Promise<Session>;
  /** The name of a deleted session, null when there is none. */
  deletedName(idOrName: string): Promise<string | null>;
  /** Credentials are kept; not restored at the next start. */
  disconnect(sessionId: string, author?: Author): Promise<Session>;
  restart(sessionId: string, author?: Author): Promise<Session>;
  logout(sessionId: string, author?: Author): Promise<Session>;
  /**
   * Takes everything apart that is held for the session and connects again, with the login or (`quarantine`, `retire`) with
   * a new code to scan. `mode: null` keeps a login that works and takes one that does not out of use.
   */
  forceCleanup(
    sessionId: string,
    options: { mode: CleanupMode | null },
  ): Promise<{ report: CleanupReport; session: Session }>;
  /** Goes on with the login from before a cleanup, by default the newest. `NOT_FOUND`, `UNDO_EXPIRED` */
  undoCleanup(sessionId: string, quarantineId: string | null): Promise<Session>;
  /** Logins of the session that are out of use, newest first. */
  putAway: Logins["putAway"];
  /** Stops and hides; unlinks as well when told so, or when the session's settings say so. */
  remove(sessionId: string, options: Author & { logout: boolean }): Promise<Session>;
  /** The string inside the QR code; waits up to `waitMs` for one while the session is connecting, then `QR_NOT_READY`. */
  qr(sessionId: string, waitMs: number): Promise<{ qr: string; expiresAt: Date }>;
  /** Connects first if need be. `STATE_CONFLICT` when an account is linked already. */
  pairingCode(
    sessionId: string,
    phoneNumber: string,
    author?: Author,
  ): Promise<{ code: string; expiresAt: Date; session: Session }>;
  /** `by`: label of the client that orders it. */
  saveSettings(
    sessionId: string,
    change: Partial<SessionSettings>,
    options?: { by: string | null },
  ): Promise<Session>;
  saveDetails(sessionId: string, change: { sessionName?: string; sendToFrappe?: boolean }): Promise<Session>;
  /** The link to send with. `SESSION_NOT_CONNECTED` unless open, also during the grace period after a loss. */
  link(sessionId: string): WhatsAppLink;
  /** Something was said in a session; kept in memory and written with its next change. */
  touch(sessionId: string): void;
  /** Messages that could not be decrypted, for the figures. */
  countUnreadable(sessionId: string, counts: UnreadableCounts): void;
  /** How the connection has done so far. */
  figures(sessionId: string): Promise<SessionFigures>;
  /** At the start of the hub; resolves when every session is on its way, five connecting at a time. */
  restoreAll(): Promise<void>;
  /** The store failed somewhere else: no session may take messages until a write commits again. */
  storeFailed(cause: unknown): void;
  stop(): Promise<void>;
  /** For tests: nothing is being handled, and no link is on its way in or out. */
  idle(): Promise<void>;
}

const LONGEST_WAIT_MS = 8_000;

export interface SessionsParts {
  store: SessionStore;
  connector: WhatsAppConnector;
  /** Where logins go that are out of use. */
  logins: Logins;
  reasonOf: ReasonOf;
  /** Proves that a write reaches the disk; throws when it does not. */
  canary: () => Promise<void>;
  clock: Clock;
  isClockTrusted: IsClockTrusted;
  nudge: Nudge;
  log: Log;
  jidForm: JidForm;
  /** An account can send again: what waited may go. Called again after every loss. */
  onOpened: (sessionId: string) => void;
  /** Draws a QR code as a PNG in bare base64; without it there are no `session.qr` events. */
  qrImage?: (qr: string) => Promise<string>;
  /** Where figures are kept; without it they last as long as the process. */
  figures?: FigureStore;
  /** Hears of each change, for those who tell people. */
  onMoved?: OnMoved;
  /** Logins that nobody can want back were looked for; how many were destroyed. */
  onSwept?: (gone: Swept) => Promise<void>;
  /** Hears of each key of a login that is damaged, by what it is for. */
  onKeyUnreadable?: (kind: string) => void;
  /** How open connections are watched; without it they are not. */
  watchdog?: WatchdogParts;
  schedule?: Schedule;
  random?: () => number;
}

export function createSessions({
  store,
  connector,
  logins,
  reasonOf,
  canary,
  clock,
  isClockTrusted,
  nudge,
  log,
  jidForm,
  onOpened,
  qrImage,
  figures: figureStore = forgetful,
  onMoved = () => undefined,
  onSwept = () => Promise.resolve(),
  onKeyUnreadable = () => undefined,
  watchdog,
  schedule = systemSchedule,
  random = Math.random,
}: SessionsParts): Sessions {
  const storeWatch = createStoreWatch({ canary, schedule, log });
  const figures = createFigures({ store: figureStore, clock, log, onMoved });
  const slots = createSlots();
  const parts: RunnerParts = {
    store,
    connector: {
      ...connector,
      open: (sessionId, onSignal) => {
        figures.attempted(sessionId);
        return connector.open(sessionId, onSignal);
      },
    },
    onMoved: (previous, next) => figures.moved(previous, next),
    logins,
    reasonOf,
    slots,
    numbers: createInOrder(),
    storeWatch,
    clock,
    schedule,
    random,
    nudge,
    log,
    onOpened,
    qrImage: qrImage ?? null,
    onKeyUnreadable,
    watchdog: watchdog ?? null,
  };
  const directory = createDirectory({ store, jidForm, isClockTrusted, parts });
  const sweep = createLoginSweep({
    ...{ store, connector, logins, directory, clock, log },
    ...{ isClockTrusted, onSwept, schedule },
  });

  const withRunner = async <T>(
    sessionId: string,
    work: (runner: SessionRunner) => Promise<T>,
  ): Promise<T> => {
    await directory.load();
    return work(directory.find(sessionId));
  };

  return {
    create: (input) => directory.create(input),
    list: async () => {
      await directory.load();
      return directory
        .all()
        .map(({ session }) => session)
        .sort((a, b) => a.id - b.id);
    },
    get: (sessionId) => withRunner(sessionId, ({ session }) => Promise.resolve(session)),
    connect: async (sessionId, { waitMs = 0, by } = {}) => {
      await directory.resumeIfDeleted(sessionId);
      const runner = directory.find(sessionId);
      await runner.connect(by);
      await runner.until(() => hasArrived(runner.session), Math.min(waitMs, LONGEST_WAIT_MS));
      return runner.session;
    },
    deletedName: async (idOrName) => (await directory.findDeleted(idOrName))?.sessionId ?? null,
    disconnect: (sessionId, { by } = {}) => withRunner(sessionId, (runner) => runner.disconnect(by)),
    restart: (sessionId, { by } = {}) => withRunner(sessionId, (runner) => runner.restart(by)),
    logout: (sessionId, { by } = {}) => withRunner(sessionId, (runner) => runner.logout(by)),
    forceCleanup: (sessionId, { mode }) =>
      withRunner(sessionId, async (runner) => {
        const startedAt = clock.now().getTime();
        const report = await runner.cleanUp(mode);
        const leftMs = LONGEST_WAIT_MS - (clock.now().getTime() - startedAt);
        await runner.until(() => hasArrived(runner.session), Math.max(0, leftMs));
        return { report, session: runner.session };
      }),
    putAway: (sessionId) => withRunner(sessionId, () => logins.putAway(sessionId)),
    undoCleanup: (sessionId, quarantineId) =>
      withRunner(sessionId, async (runner) => {
        await runner.undoCleanup(quarantineId);
        await runner.until(() => hasArrived(runner.session), LONGEST_WAIT_MS);
        return runner.session;
      }),
    remove: (sessionId, { logout, by }) =>
      withRunner(sessionId, async (runner) => {
        const unlinks = logout || runner.session.settings.deleteMode === "logout";
        const session = await (unlinks ? runner.logoutAndHide(by) : runner.seal(by));
        directory.forget(session.sessionId);
        await runner.shut();
        return session;
      }),
    qr: (sessionId, waitMs) =>
      withRunner(sessionId, async (runner) => {
        await runner.until(() => runner.qr !== null || !isLinking(runner.session), waitMs);
        const shown = runner.qr;
        if (shown === null) throw notReady(runner.session);
        return { qr: shown.code, expiresAt: shown.expiresAt };
      }),
    pairingCode: (sessionId, phoneNumber, { by } = {}) =>
      withRunner(sessionId, async (runner) => {
        await runner.connect(by);
        await runner.until(() => runner.qr !== null || !isLinking(runner.session), LONGEST_WAIT_MS);
        if (isOpen(runner.session.state))
          throw new HubError(
            "STATE_CONFLICT",
            "This session is linked already; log it out to link another number.",
          );
        await runner.requestPairingCode(phoneNumber);
        const shown = runner.pairingCode;
        if (shown === null) throw notReady(runner.session);
        return { ...shown, session: runner.session };
      }),
    saveSettings: (sessionId, change, { by } = { by: null }) =>
      withRunner(sessionId, (runner) => runner.saveSettings(change, by)),
    saveDetails: (sessionId, change) => withRunner(sessionId, (runner) => runner.saveDetails(change)),
    link: (sessionId) => {
      const { link, session } = directory.find(sessionId);
      if (link !== null) return link;
      throw new HubError("SESSION_NOT_CONNECTED", `Session "${session.sessionId}" is not connected.`, {
        details: { state: session.state, isRecovering: isOpen(session.state) },
      });
    },
    touch: (sessionId) => directory.findIfAny(sessionId)?.touch(),
    countUnreadable: (sessionId, counts) => figures.unreadable(sessionId, counts),
    figures: (sessionId) => withRunner(sessionId, ({ session }) => figures.of(session.sessionId)),
    restoreAll: async () => {
      await restoreAll({ directory, slots, log });
      sweep.start();
    },
    storeFailed: (cause) => directory.all().forEach((runner) => runner.storeFailed(cause)),
    stop: async () => {
      sweep.stop();
      storeWatch.stop();
      await Promise.all(directory.all().map((runner) => runner.shut()));
      await figures.idle();
    },
    idle: async () => {
      await sweep.idle();
      await Promise.all(directory.all().map((runner) => runner.idle()));
    },
  };
}

const forgetful: FigureStore = { get: () => Promise.resolve(null), save: () => Promise.resolve() };
