/** A WhatsApp that does what the test says: each account's links, what they were told, and who was connected when. */
import type { SessionSignal, WhatsAppConnector, WhatsAppLink } from "../../hub/core/whatsapp.ts";
import { createPuppetPulse, type PuppetPulse } from "./puppet-pulse.ts";

export interface PuppetLink extends WhatsAppLink {
  readonly pulse: PuppetPulse;
  readonly isClosed: boolean;
  readonly isLoggedOut: boolean;
}

/** What an account does by itself each time a link is opened; nothing unless told. */
type Habit = (account: PuppetAccount) => void;

export interface PuppetAccount {
  readonly sessionId: string;
  /** Links in the order they were opened. */
  readonly links: PuppetLink[];
  /** Most links that were open at one time. */
  readonly mostLinksAtOnce: number;
  isPaired: boolean;
  /** Why credentials were taken out of use, each time. */
  readonly retirements: string[];
  whenOpened(habit: Habit): void;
  /** `open` waits until the function returned is called. */
  holdsOpening(): () => void;
  /** `open` fails with this. */
  cannotOpen(cause: Error | null): void;
  /** `close` never ends. */
  hangsOnClose(): void;
  shows(qr: string, expiresAt: Date): void;
  isScanned(): void;
  opens(who?: { phoneNumber?: string; lid?: string | null; pushName?: string | null }): void;
  closes(code: number): void;
  storeFails(): void;
  /** Speaks through a link that is not the newest one. */
  says(signal: SessionSignal, link: PuppetLink | undefined): void;
}

export interface PuppetWhatsApp {
  connector: WhatsAppConnector;
  account(sessionId: string): PuppetAccount;
  /** Accounts that have a link which is neither open, closed nor showing a code. */
  connecting(): number;
  readonly mostConnectingAtOnce: number;
  /** Connections die with their process. */
  dropsAll(): void;
}

export function createPuppetWhatsApp(): PuppetWhatsApp {
  const accounts = new Map<string, Puppet>();
  let mostConnectingAtOnce = 0;

  const account = (sessionId: string): Puppet => {
    const known = accounts.get(sessionId) ?? new Puppet(sessionId);
    accounts.set(sessionId, known);
    return known;
  };
  const connecting = () => [...accounts.values()].filter((each) => each.isConnecting).length;

  return {
    connector: {
      open: async (sessionId, onSignal) => {
        const opening = account(sessionId).open(onSignal);
        mostConnectingAtOnce = Math.max(mostConnectingAtOnce, connecting());
        return opening;
      },
      isPaired: (sessionId) => Promise.resolve(account(sessionId).isPaired),
      forget: () => undefined,
      retireCredentials: (sessionId, reason) => {
        account(sessionId).retire(reason);
        return Promise.resolve();
      },
    },
    account,
    connecting,
    dropsAll: () => accounts.forEach((each) => each.drop()),
    get mostConnectingAtOnce() {
      return mostConnectingAtOnce;
    },
  };
}

class Puppet implements PuppetAccount {
  readonly sessionId: string;
  readonly links: Line[] = [];
  readonly retirements: string[] = [];
  isPaired = false;
  mostLinksAtOnce = 0;
  isConnecting = false;
  #habit: Habit = () => {};
  #held: Promise<void> | null = null;
  #failure: Error | null = null;
  #closeHangs = false;

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  async open(onSignal: (signal: SessionSignal) => void): Promise<PuppetLink> {
    if (this.#failure !== null) throw this.#failure;
    const link = new Line(this, onSignal, this.#closeHangs);
    this.links.push(link);
    this.isConnecting = true;
    this.mostLinksAtOnce = Math.max(this.mostLinksAtOnce, this.links.filter((each) => !each.isClosed).length);
    await this.#held;
    // Signals come after the link, as they do from a network.
    setImmediate(() => this.#habit(this));
    return link;
  }

  drop(): void {
    for (const link of this.links) link.isClosed = true;
    this.isConnecting = false;
  }

  retire(reason: string): void {
    this.retirements.push(reason);
    this.isPaired = false;
  }

  whenOpened(habit: Habit): void {
    this.#habit = habit;
  }

  holdsOpening(): () => void {
    let release = () => {};
    this.#held = new Promise((resolve) => (release = resolve));
    return () => {
      this.#held = null;
      release();
    };
  }

  cannotOpen(cause: Error | null): void {
    this.#failure = cause;
  }

  hangsOnClose(): void {
    this.#closeHangs = true;
  }

  shows(qr: string, expiresAt: Date): void {
    this.says({ type: "qr", qr, expiresAt });
  }

  isScanned(): void {
    this.isPaired = true;
    this.says({ type: "restart_required" });
  }

  opens({
    phoneNumber = "34600999888",
    lid = "999888@lid",
    pushName = "Shop",
  }: { phoneNumber?: string; lid?: string | null; pushName?: string | null } = {}): void {
    this.isPaired = true;
    this.says({ type: "opened", phoneNumber, lid, pushName });
  }

  closes(code: number): void {
    this.says({ type: "closed", code, detail: "", paired: this.isPaired });
  }

  storeFails(): void {
    this.says({ type: "store_failed", cause: new Error("disk full") });
  }

  says(signal: SessionSignal, link = this.links.at(-1)): void {
    if (signal.type !== "pairing_code") this.isConnecting = false;
    link?.say(signal);
  }
}

class Line implements PuppetLink {
  readonly #account: Puppet;
  readonly #onSignal: (signal: SessionSignal) => void;
  readonly #closeHangs: boolean;
  isClosed = false;
  isLoggedOut = false;

  constructor(account: Puppet, onSignal: (signal: SessionSignal) => void, closeHangs: boolean) {
    this.#account = account;
    this.#onSignal = onSignal;
    this.#closeHangs = closeHangs;
  }

  say(signal: SessionSignal): void {
    this.#onSignal(signal);
  }

  requestPairingCode(): Promise<string> {
    return Promise.resolve("ABCD1234");
  }

  logout(): Promise<void> {
    this.isLoggedOut = true;
    return Promise.resolve();
  }

  close(): Promise<void> {
    if (this.#closeHangs) return new Promise(() => {});
    this.isClosed = true;
    if (this.#account.links.at(-1) === this) this.#account.isConnecting = false;
    return Promise.resolve();
  }

  /** What a test says was heard; by default there was a sign of life at any time. */
  readonly pulse: PuppetPulse = createPuppetPulse();

  send(): ReturnType<WhatsAppLink["send"]> {
    return Promise.resolve({ raw: null, media: null });
  }

  markRead(): Promise<void> {
    return Promise.resolve();
  }

  changeChat(): Promise<void> {
    return Promise.resolve();
  }

  showTyping(): Promise<void> {
    return Promise.resolve();
  }

  block(): Promise<void> {
    return Promise.resolve();
  }

  requestHistory(): Promise<void> {
    return Promise.resolve();
  }

  downloadMedia(): ReturnType<WhatsAppLink["downloadMedia"]> {
    return Promise.reject(new Error("this puppet has no media"));
  }

  lookUp(): ReturnType<WhatsAppLink["lookUp"]> {
    return Promise.resolve({ exists: false, jid: null, lid: null });
  }

  restriction(): ReturnType<WhatsAppLink["restriction"]> {
    return Promise.resolve({ isActive: false, until: null, type: null });
  }

  newChatAllowance(): ReturnType<WhatsAppLink["newChatAllowance"]> {
    return Promise.resolve({ total: null, used: 0, until: null, isReached: false });
  }

  profilePictureUrl(): Promise<string | null> {
    return Promise.resolve(null);
  }

  about(): Promise<string | null> {
    return Promise.resolve(null);
  }

  newMessageId(): string {
    return "3EB0PUPPET";
  }
}
