/** What the benchmarks say to the bare Baileys process, and what it says back. */
export interface BareCommand {
  webSocketUrl: string;
  /** How many to open, counted on from those there are. */
  sockets: number;
  /** Logins to open them with, if it exists; SIGTERM writes it. */
  loginsFile?: string;
  /** Where each new message is posted; left out: nowhere. */
  postTo?: string;
}

export type BareEvent =
  | { type: "qr"; n: number; qr: string }
  | { type: "open"; n: number }
  | { type: "failed"; n: number; error: string }
  | { type: "history"; n: number; contacts: number; chats: number; messages: number }
  | { type: "message"; n: number }
  | { type: "posted" };
