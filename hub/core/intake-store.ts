/** Intake as a part of the store: what WhatsApp handed us, kept before WhatsApp is told "delivered". */

/** What WhatsApp handed us, kept until it is recorded. Blobs are sealed by the caller. */
export interface IntakeEntry {
  /** Order of arrival within the process's lifetime; the order of a chat. */
  order: number;
  /** Identity of the stanza: the same digest twice is the same row. */
  digest: Uint8Array;
  stanzaId: string;
  /** Raw address of the chat as WhatsApp wrote it. */
  chat: string;
  participant: string;
  seenAt: Date;
  stanza: Uint8Array;
  /** By id of the ciphertext; empty while nothing was decrypted. */
  plaintexts: { encId: Uint8Array; sealed: Uint8Array }[];
}

export interface OpenIntake {
  n: number;
  digest: Uint8Array;
  stanzaId: string;
  chat: string;
  participant: string;
  seenAt: Date;
  stanza: Uint8Array;
}

export interface IntakeStore {
  /** Plaintext kept under this id, or null: lets a redelivered ciphertext be answered without moving the ratchet. */
  plaintext(sessionId: string, encId: Uint8Array): Promise<Uint8Array | null>;
  /** Rows not recorded yet, in order of arrival. */
  open(sessionId: string): Promise<OpenIntake[]>;
  /** When the oldest row came that could be read and is not recorded; null when there is none. */
  oldestReadable(sessionId: string): Promise<Date | null>;
  /** How many rows of all sessions are not recorded yet. */
  countOpen(): Promise<number>;
  /** Rows that hold no chat message (protocol messages) are closed without a fact. */
  close(sessionId: string, digests: Uint8Array[]): Promise<void>;
  /**
   * Blanks blobs of rows done before `blobsBefore`, deletes rows and plaintexts done before `rowsBefore`: at most `limit`
   * of each. Returns how many it was; 0 when nothing is left to do.
   */
  prune(options: { blobsBefore: Date; rowsBefore: Date; limit: number }): Promise<number>;
}
