/**
 * Keeping one account connected: what each signal of its line means, when to stop trying, and what to do while the store is
 * away. Everything here runs in the runner's order, one signal or order at a time.
 */
import { isActive, isOpen, isRestoredAtStart, type SessionChange } from "../core/session-state.ts";
import type { Session } from "../core/session.ts";
import { LoginDamaged, type WhatsAppLink } from "../core/whatsapp.ts";
import { afterClose, type CloseVerdict } from "./after-close.ts";
import { bringBack } from "./bring-back.ts";
import { createCodes, qrEvents, type Codes } from "./codes.ts";
import { createLine, type Line, type LineSignal } from "./line.ts";
import { createLoginCare, type LoginCare } from "./login-care.ts";
import { createLoss, type Loss } from "./loss.ts";
import { claimNumber } from "./number-claim.ts";
import {
  NO_ANSWER,
  NOT_STARTED,
  numberInUse,
  ordered,
  REASONS,
  RESTART_AGAIN,
  RESTART_ASKED,
  type Cause,
} from "./reasons.ts";
import { createRetry, type Retry } from "./retry.ts";
import type { RunnerParts } from "./runner-parts.ts";
import { detailsOfOpened, reasonAt, type Details, type SessionRecord } from "./session-record.ts";
import { URGENCY, type Urgency } from "./slots.ts";
import { createStoreOutage } from "./store-outage.ts";
import { unlinkOver } from "./unlink.ts";
import { createWatchdog, type Watchdog } from "./watchdog.ts";

/** A session that is linked with none. */
const NO_NUMBER = { phoneNumber: null, lid: null };

type Signal<T extends LineSignal["type"]> = Extract<LineSignal, { type: T }>;

export class Connection {
  readonly codes: Codes;
  readonly line: Line;
  /** No store, no socket. */
  readonly storeFailed: (cause: unknown) => Promise<void>;
  readonly #record: SessionRecord;
  readonly #parts: RunnerParts;
  readonly #retry: Retry;
  readonly #loss: Loss;
  readonly #loginCare: LoginCare;
  readonly #watchdog: Watchdog;
  /** WhatsApp asked for a new connection and has accepted none since. */
  #restartAsked = false;

  /** `later` runs work in the runner's order, and answers its failure with `storeFailed`. */
  constructor(record: SessionRecord, parts: RunnerParts, later: (work: () => Promise<void>) => void) {
    this.#record = record;
    this.#parts = parts;
    this.codes = createCodes(parts.clock);
    const { sessionId } = record.session();
    const connect = (urgency: Urgency): void => later(() => this.#tryAgain(urgency));
    this.#retry = createRetry({ ...parts, sessionId, connect });
    this.#loss = createLoss({ record, later, schedule: parts.schedule, clock: parts.clock });
    this.storeFailed = createStoreOutage({
      record,
      loss: this.#loss,
      cut: () => this.cut(),
      reconnect: () => this.#retry.afterOutage(),
      later,
      parts,
    });
    this.#loginCare = createLoginCare({
      record,
      parts,
      end: (change, cause, options) => this.end(change, cause, options),
      start: () => this.start(),
    });
    this.line = createLine({
      ...parts,
      sessionId,
      onSignal: (signal, isCurrent) => later(() => (isCurrent() ? this.#hear(signal) : Promise.resolve())),
    });
    this.#watchdog = createWatchdog({
      record,
      parts,
      later,
      link: () => this.openLink,
      renew: this.#replace,
    });
  }

  /** The link to send with. */
  get openLink(): WhatsAppLink | null {
    const { state, lostAt } = this.#session;
    return isOpen(state) && lostAt === null ? this.line.link() : null;
  }

  get #session(): Session {
    return this.#record.session();
  }

  /** Ten orders make one link. Where the next try is only waited for, it is made now. `by`: who ordered it. */
  async start(by?: string): Promise<void> {
    if (isActive(this.#session.state)) {
      this.#retry.hasten();
      return;
    }
    this.#retry.beginAnew();
    const { phoneNumber, sessionId } = this.#session;
    // Without a login it is only shown, and whoever scans may take another phone.
    const isShownOnly = phoneNumber !== null && !(await this.#parts.connector.isPaired(sessionId));
    await this.#record.move({ type: "start" }, { reason: null, ...(isShownOnly ? NO_NUMBER : {}) }, { by });
    this.line.open(URGENCY.ordered);
  }

  /** A new link on the same credentials. `by`: who ordered it. */
  async renew(by?: string): Promise<void> {
    if (this.#session.state === "store_down") return;
    if (!isActive(this.#session.state)) return this.start(by);
    await this.cut();
    this.#restartAsked = false;
    this.#retry.renewed();
    await this.#loss.setBack(ordered(REASONS.restarted, by));
    this.line.open(URGENCY.ordered);
  }

  /** Brings back, at the start of the hub, what was connected or on its way when the process ended. */
  async restore(): Promise<void> {
    const isDue = await bringBack({
      record: this.#record,
      connector: this.#parts.connector,
      loginCare: this.#loginCare,
      loss: this.#loss,
      end: (change, cause) => this.end(change, cause),
    });
    if (isDue) this.line.open(URGENCY.background);
  }

  /** Ends the link for good, takes the credentials out of use if `retire` says why, and writes where that leaves us. */
  async end(
    change: SessionChange,
    cause: Cause,
    { retire = null, details = {} }: { retire?: string | null; details?: Details } = {},
  ): Promise<void> {
    await this.cut();
    if (retire !== null) await this.#parts.connector.retireCredentials(this.#session.sessionId, retire);
    const loggedOut =
      change.type === "logout" || (change.type === "closed" && change.outcome === "logged_out");
    await this.#record.move(change, {
      reason: reasonAt(cause, this.#now()),
      connectedAt: null,
      lostAt: this.#loss.since(),
      // The number is free again: another session may be linked with it.
      ...(loggedOut ? NO_NUMBER : {}),
      ...details,
    });
  }

  /** No link, no timer, no code; the state stays. Safe to call twice. */
  async cut(): Promise<void> {
    this.#retry.cancel();
    this.#loss.endGrace();
    this.#watchdog.rest();
    this.codes.forget();
    await this.line.close();
  }

  /** A new link in the place of one that does not work; as after a loss, the account keeps its state for a moment. */
  readonly #replace = async (cause: Cause): Promise<void> => {
    await this.cut();
    await this.#loss.lose(cause);
    this.line.open(URGENCY.background);
  };

  #hear(signal: LineSignal): Promise<void> {
    const { log, reasonOf } = this.#parts;
    switch (signal.type) {
      case "qr":
        return this.#showQr(signal);
      case "pairing_code":
        this.codes.showPairing(signal);
        return this.#record.move({ type: "pairing_code" });
      case "restart_required":
        return this.#restartRequired();
      case "opened":
        return this.#opened(signal);
      case "closed":
        return this.#closed(signal, {
          ...reasonOf(signal.code, signal.paired, signal.until ?? null),
          code: String(signal.code),
        });
      case "no_answer":
        return this.#closed(null, NO_ANSWER);
      case "not_started":
        if (signal.cause instanceof LoginDamaged) return this.#loginCare.damaged(signal.cause);
        log.error({ sessionId: this.#session.sessionId, err: signal.cause }, "session.not_started");
        return this.#closed(null, NOT_STARTED);
      case "store_failed":
        return this.storeFailed(signal.cause);
      case "key_unreadable":
        return this.#loginCare.keyUnreadable(signal.kind);
    }
  }

  async #showQr({ qr, expiresAt }: Signal<"qr">): Promise<void> {
    this.codes.showQr({ code: qr, expiresAt });
    const extra = await qrEvents({ qr, expiresAt, sessionId: this.#session.sessionId }, this.#parts);
    await this.#record.move({ type: "qr" }, {}, { extra });
  }

  /** Follows every scan and is no failure: the credentials are on disk, a new connection finishes the link. */
  async #restartRequired(): Promise<void> {
    // Asked twice without a connection in between is a failure like any other, or it would go round without a pause.
    if (this.#restartAsked) return this.#closed(null, RESTART_AGAIN);
    this.#restartAsked = true;
    this.codes.forget();
    await this.line.close();
    const { state } = this.#session;
    if (isOpen(state) || state === "reconnecting") await this.#lose(RESTART_ASKED);
    else await this.#record.move({ type: "scanned" });
    this.line.open(URGENCY.finishing);
  }

  async #opened(signal: Signal<"opened">): Promise<void> {
    const session = this.#session;
    const { sessionId, state } = session;
    const deaf = state === "degraded" ? this.#watchdog.cause() : null;
    const details = detailsOfOpened(signal, session, deaf && reasonAt(deaf, this.#now()), this.#now());
    const take = (): Promise<void> => this.#record.move({ type: "opened" }, details);
    const holder = await claimNumber(signal.phoneNumber, { ...this.#parts, session, take });
    if (holder !== null) return this.#refuseNumber(holder);
    this.codes.forget();
    this.#loss.endGrace();
    this.#restartAsked = false;
    this.#retry.opened();
    this.#watchdog.opened(state === "degraded");
    this.#parts.onOpened(sessionId);
  }

  /** The device that asks for the number goes, and its row with it; the session that has the number is not touched. */
  async #refuseNumber(holder: Session): Promise<void> {
    const link = this.line.link();
    if (link !== null) await unlinkOver(link, this.#parts.schedule);
    await this.end({ type: "number_taken" }, numberInUse(holder), {
      retire: "the number is in use",
      details: NO_NUMBER,
    });
  }

  async #closed(signal: Signal<"closed"> | null, cause: CloseVerdict & Cause): Promise<void> {
    const { sessionId, state } = this.#session;
    const after = afterClose({
      code: signal?.code ?? null,
      paired: signal?.paired ?? true,
      verdict: cause,
      history: this.#retry.history(),
      codeShown: state === "qr" || state === "pairing_code",
      now: this.#now(),
      random: this.#parts.random,
    });
    const retire = after.retire ? `WhatsApp closed with ${cause.code}` : null;
    if (after.next === "end") return this.end({ type: "closed", outcome: after.outcome }, cause, { retire });
    await this.line.close();
    if (retire !== null) await this.#parts.connector.retireCredentials(sessionId, retire);
    // Who took the login over is not to be disturbed, whatever people are told.
    const isFixed = cause.outcome === "replaced";
    this.#retry.failed(after.history, { isFixed });
    this.#parts.log.info(
      { sessionId, code: cause.code, delayMs: after.delayMs, failures: after.history.failures },
      "session.lost",
    );
    await this.#lose(cause);
    this.#retry.after(isFixed ? after.delayMs : this.#loss.inGrace(after.delayMs));
  }

  /** Something else may have been faster. */
  #tryAgain(urgency: Urgency): Promise<void> {
    const isDue = this.line.isIdle() && isRestoredAtStart(this.#session.state);
    if (isDue && this.#session.state !== "store_down") this.line.open(urgency);
    return Promise.resolve();
  }

  async #lose(cause: Cause): Promise<void> {
    this.#retry.lost();
    this.codes.forget();
    await this.#loss.lose(cause);
  }

  #now(): Date {
    return this.#parts.clock.now();
  }
}
