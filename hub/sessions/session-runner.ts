/**
 * One account: the only writer of its state. Orders and signals are handled one at a time, in order; each change is one
 * write that holds the session's row, its event and its line in the timeline.
 *
 * A loss has a grace period of 15 s in which nobody is told: the state of an account that dropped stays `connected`
 * with `lostAt` set, and there is no link to send with. After a restart, by order or of the whole hub, the state is
 * `reconnecting` at once, and the same grace holds back the event alone.
 */
import { botNews } from "../core/bot-event.ts";
import type { CleanupMode, CleanupReport } from "../core/cleanup.ts";
import { HubError } from "../core/errors.ts";
import type { Session, SessionSettings } from "../core/session.ts";
import type { WhatsAppLink } from "../core/whatsapp.ts";
import { cleanUp } from "./cleanup.ts";
import type { ShownCode } from "./codes.ts";
import { Connection } from "./connection.ts";
import { ordered, REASONS } from "./reasons.ts";
import type { RunnerParts } from "./runner-parts.ts";
import { within } from "./schedule.ts";
import { createSessionRecord, type SessionRecord } from "./session-record.ts";
import { createInOrder } from "./slots.ts";
import { undoCleanup } from "./undo-cleanup.ts";
import { unlinkAnew, unlinkOver } from "./unlink.ts";

/** Closing on the way out; a link that takes longer ends with the process. */
const SHUT_LIMIT_MS = 5_000;

export class SessionRunner {
  readonly #parts: RunnerParts;
  readonly #record: SessionRecord;
  readonly #connection: Connection;
  readonly #order = createInOrder();
  #isShut = false;

  constructor(session: Session, parts: RunnerParts) {
    this.#parts = parts;
    this.#record = createSessionRecord(session, parts);
    this.#connection = new Connection(this.#record, parts, (work) => void this.#inOrder(work));
  }

  get session(): Session {
    return this.#record.session();
  }

  /** The open link; null while there is none to send with. */
  get link(): WhatsAppLink | null {
    return this.#connection.openLink;
  }

  /** The code to scan while one is valid. */
  get qr(): ShownCode | null {
    return this.#connection.codes.qr();
  }

  /** The code to type while one is valid. */
  get pairingCode(): ShownCode | null {
    return this.#connection.codes.pairing();
  }

  /** Resolves with true as soon as `isSo` holds, with false after `ms`. */
  until(isSo: () => boolean, ms: number): Promise<boolean> {
    return this.#record.until(isSo, ms);
  }

  touch(): void {
    this.#record.touch();
  }

  connect(by?: string): Promise<Session> {
    return this.#ordered(() => this.#connection.start(by));
  }

  restart(by?: string): Promise<Session> {
    return this.#ordered(() => this.#connection.renew(by));
  }

  disconnect(by?: string): Promise<Session> {
    return this.#ordered(async () => {
      const { state } = this.session;
      if (state !== "stopped" && state !== "logged_out")
        await this.#connection.end({ type: "stop" }, ordered(REASONS.stopped, by));
    });
  }

  logout(by?: string): Promise<Session> {
    return this.#ordered(() => this.#logout(null, by));
  }

  /** Hides the session. Its credentials stay sealed and unused, so that the name can come back without a scan. */
  seal(by?: string): Promise<Session> {
    const details = { deletedAt: this.#parts.clock.now() };
    const cause = ordered(REASONS.stopped, by);
    return this.#ordered(() => this.#connection.end({ type: "stop" }, cause, { details }));
  }

  logoutAndHide(by?: string): Promise<Session> {
    return this.#ordered(() => this.#logout(this.#parts.clock.now(), by));
  }

  /** Links that hang are ended before the order gets its turn. */
  async cleanUp(mode: CleanupMode | null): Promise<CleanupReport> {
    const parts = this.#parts;
    const cleanup = { record: this.#record, connection: this.#connection, parts };
    if (mode !== "retire") void this.#connection.line.close();
    const reports: CleanupReport[] = [];
    await this.#ordered(async () => {
      reports.push(await cleanUp(mode, cleanup));
    });
    const [report] = reports;
    if (report === undefined) throw new Error("an order ended without a result");
    return report;
  }

  /** Which one is decided when it is ordered: ordered twice at once, both mean the same, and it is done once. */
  async undoCleanup(quarantineId: string | null): Promise<Session> {
    const parts = this.#parts;
    const { id } = await parts.logins.toBringBack(this.session.sessionId, quarantineId);
    const undo = { record: this.#record, connection: this.#connection, parts };
    return this.#ordered(() => undoCleanup(id, undo));
  }

  saveDetails(change: { sessionName?: string; sendToFrappe?: boolean }): Promise<Session> {
    return this.#ordered(() => this.#record.save(change));
  }

  saveSettings(change: Partial<SessionSettings>, by: string | null): Promise<Session> {
    return this.#ordered(() => {
      const before = this.session.settings;
      const settings = { ...before, ...change };
      const news = botNews(before.bot, settings.bot, { by, now: this.#parts.clock.now() });
      return this.#record.save({ settings }, news);
    });
  }

  /** Asks for a code to type instead of scanning; the QR code stays valid beside it. */
  async requestPairingCode(phoneNumber: string): Promise<void> {
    const { line, codes } = this.#connection;
    const link = line.link();
    const shown = codes.qr();
    if (link === null || shown === null)
      throw new HubError("QR_NOT_READY", "No code is on show yet; ask again in a moment.");
    const code = await link.requestPairingCode(phoneNumber);
    await this.#ordered(async () => {
      if (line.link() !== link) return;
      // The link's own signal knows how long the code is valid; without one, as long as the QR code beside it.
      if (codes.pairing()?.code !== code) codes.showPairing({ code, expiresAt: shown.expiresAt });
      await this.#record.move({ type: "pairing_code" });
    });
  }

  restore(): Promise<Session> {
    return this.#ordered(() => this.#connection.restore());
  }

  storeFailed(cause: unknown): void {
    void this.#inOrder(() => this.#connection.storeFailed(cause));
  }

  /** Ends the link in bounded time and leaves the state as it is: the next start of the hub restores it. */
  async shut(): Promise<void> {
    const wasConnected = this.link !== null;
    this.#isShut = true;
    const ending = (async () => {
      await this.#connection.cut();
      await this.#order.idle();
      // What was being handled may have opened a link after the first cut.
      await this.#connection.cut();
      if (wasConnected) await this.#record.save({ lostAt: this.#parts.clock.now() });
    })().catch((err: unknown) => {
      this.#parts.log.warn({ sessionId: this.session.sessionId, err }, "session.end_not_saved");
    });
    await within(SHUT_LIMIT_MS, ending, undefined, this.#parts.schedule);
  }

  /** Resolves when nothing is being handled and no link is on its way in or out. */
  async idle(): Promise<void> {
    do {
      await this.#connection.line.settled();
      await this.#order.idle();
    } while (!this.#order.isIdle());
  }

  /** Unlinks the device at WhatsApp if that can be done in time, and takes the credentials out of use in any case. */
  async #logout(deletedAt: Date | null, by: string | undefined): Promise<void> {
    const { sessionId } = this.session;
    const { openLink } = this.#connection;
    let isTold = true;
    if (openLink !== null) isTold = await unlinkOver(openLink, this.#parts.schedule);
    await this.#connection.cut();
    if (openLink === null && (await this.#parts.connector.isPaired(sessionId)))
      isTold = await unlinkAnew(sessionId, this.#parts);
    const cause = ordered(isTold ? REASONS.loggedOut : REASONS.loggedOutUntold, by);
    await this.#connection.end({ type: "logout" }, cause, {
      retire: "logged out by order",
      ...(deletedAt === null ? {} : { details: { deletedAt } }),
    });
  }

  /** Handles what nobody waits for. A failure in it is the store's: everything it waits for is a write or a read. */
  #inOrder(work: () => Promise<void>): Promise<void> {
    return this.#order.add(async () => {
      if (this.#isShut) return;
      try {
        await work();
      } catch (cause) {
        await this.#connection.storeFailed(cause);
      }
    });
  }

  /** An order of a caller, who learns what became of it. */
  #ordered(work: () => Promise<void>): Promise<Session> {
    return this.#order.add(async () => {
      if (this.#isShut)
        throw new HubError("SHUTTING_DOWN", "The hub is stopping.", { retryAfterSeconds: 10 });
      try {
        await work();
        return this.session;
      } catch (cause) {
        if (cause instanceof HubError && cause.code !== "STORE_UNAVAILABLE") throw cause;
        await this.#connection.storeFailed(cause);
        throw new HubError("STORE_UNAVAILABLE", "The hub could not write this down; try again in a moment.", {
          retryAfterSeconds: 5,
          cause,
        });
      }
    });
  }
}
