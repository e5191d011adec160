/** Trouble on demand that waits for its moment: each armed fault is taken by the code that plays it, a number of times. */

/** What a fault carries beyond its kind; each kind reads its own. */
export interface ArmedFaults {
  /** Logins are answered `<failure reason>`; `expire`: the seconds a ban lasts, where WhatsApp says so. */
  "login-failure": { reason: number; expire?: number | undefined };
  /** The HTTP upgrade is refused with this status. */
  "reject-upgrade": { status: number };
  /** TCP is accepted and then nothing is said. */
  "stall-upgrade": object;
  /** The certificate chain ends in a root that nobody was told of. */
  "foreign-root": object;
  /** Pairing: the account's signature is somebody else's. */
  "wrong-account-signature": object;
  /** Queries that match are answered with an error, late, or never. */
  iq: {
    xmlns?: string | undefined;
    tag?: string | undefined;
    code?: number | undefined;
    drop?: boolean | undefined;
    delayMs?: number | undefined;
  };
  /** Ciphertext of a message is damaged on its way (the resend is not). */
  corrupt: object;
  /** A sender who is asked to send a message again does not (its phone is off). */
  "ignore-retry": object;
  /** The account's own phone does not answer its companions (it is off). */
  "phone-silent": object;
  /** A contact cannot read what it was sent and asks for it again. */
  "contact-retry": object;
  "ack-error": { code: number };
  "ack-drop": object;
  "ack-delay": { delayMs: number };
  /** The connection is reset after that many more queued stanzas (in the middle of an offline batch, if one runs). */
  "cut-after": { stanzas: number };
  /** The offline batch is not closed with `<ib><offline/></ib>`. */
  "no-offline-end": object;
  /** A message's stanza is sent that often in a row. */
  duplicate: { times: number };
  /** A receipt is not heard: the message stays queued and comes again at the next login, with the same ciphertext. */
  "lose-receipt": object;
  /** Downloads are answered with this status, sent elsewhere, cut in half, or garbled; so many are let through before. */
  media: {
    status?: number | undefined;
    redirect?: string | undefined;
    damage?: "truncated" | "garbled" | undefined;
    skip?: number | undefined;
  };
  upload: { status: number };
}
export type ArmedKind = keyof ArmedFaults;

export interface ArmedFault<Kind extends ArmedKind = ArmedKind> {
  id: number;
  kind: Kind;
  /** Number of the account; undefined: any. */
  account: string | undefined;
  /** How often it is still played; null: until it is cleared. */
  left: number | null;
  with: ArmedFaults[Kind];
}

export interface Faults {
  arm<Kind extends ArmedKind>(
    kind: Kind,
    details: ArmedFaults[Kind],
    options?: { account?: string | undefined; count?: number | null | undefined },
  ): ArmedFault<Kind>;
  /** The first armed fault of the kind that fits, used up once; undefined: play fair. */
  take<Kind extends ArmedKind>(
    kind: Kind,
    account: string | undefined,
    fits?: (details: ArmedFaults[Kind]) => boolean,
  ): ArmedFaults[Kind] | undefined;
  list(): ArmedFault[];
  clear(account?: string): void;
}

export function createFaults(onUse: (kind: ArmedKind, account: string | undefined) => void): Faults {
  let armed: ArmedFault[] = [];
  let lastId = 0;

  return {
    arm(kind, details, { account, count = 1 } = {}) {
      const fault = { id: ++lastId, kind, account, left: count, with: details };
      armed.push(fault);
      return fault;
    },
    take(kind, account, fits = () => true) {
      if (armed.length === 0) return undefined;
      const found = armed.find(
        (fault): fault is ArmedFault<typeof kind> =>
          fault.kind === kind && concerns(fault, account) && fits(fault.with as ArmedFaults[typeof kind]),
      ); // the kind was just compared
      if (!found) return undefined;
      if (found.left !== null && --found.left <= 0) armed = armed.filter((fault) => fault !== found);
      onUse(kind, account);
      return found.with;
    },
    list: () => [...armed],
    clear: (account) =>
      void (armed = account === undefined ? [] : armed.filter((fault) => fault.account !== account)),
  };
}

const concerns = (fault: ArmedFault, account: string | undefined): boolean =>
  fault.account === undefined || fault.account === account;
