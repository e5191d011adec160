/** A bare Baileys socket with its keys in memory: what the emulator's own tests, and comparisons, run against it. */
import {
  BufferJSON,
  DisconnectReason,
  initAuthCreds,
  makeWASocket,
  proto,
  type AuthenticationCreds,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type UserFacingSocketConfig,
  type WAMessage,
  type WASocket,
} from "@whiskeysockets/baileys";
import { pino } from "pino";

export interface BareCredentials {
  creds: AuthenticationCreds;
  keys: SignalKeyStore;
}

export interface BareSocket {
  readonly sock: WASocket;
  readonly credentials: BareCredentials;
  readonly messages: { message: WAMessage; how: "notify" | "append" }[];
  /** What the socket said of its connection, oldest first. */
  readonly states: string[];
  /** Settles when the test is true; asked again after each event of the socket. */
  until<T>(what: string, test: () => T | undefined | false, timeoutMs?: number): Promise<T>;
  /** Status code of the last close. */
  closedWith(): number | undefined;
  end(): Promise<void>;
}

export interface BareOptions {
  wsUrl: string;
  credentials?: BareCredentials;
  config?: Partial<UserFacingSocketConfig>;
  onQr?: (qr: string, sock: WASocket) => void;
}

const WAIT_MS = 20_000;

export function newCredentials(): BareCredentials {
  return { creds: initAuthCreds(), keys: memoryKeys() };
}

/** Serialised like on a disk: a store that hands out living objects would hide mistakes. */
function memoryKeys(): SignalKeyStore {
  const stored = new Map<string, string>();
  return {
    get: <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
      const found: Record<string, SignalDataTypeMap[T]> = {};
      for (const id of ids) {
        const text = stored.get(`${type} ${id}`);
        if (text === undefined) continue;
        const value: unknown = JSON.parse(text, BufferJSON.reviver);
        // Baileys reads numbers and bytes of this one as protobuf gives them.
        const read =
          type === "app-state-sync-key"
            ? proto.Message.AppStateSyncKeyData.fromObject(value as object)
            : value;
        found[id] = read as SignalDataTypeMap[T]; // Baileys' own value of that type, back from JSON
      }
      return found;
    },
    set: (data: SignalDataSet) => {
      for (const [type, values] of Object.entries(data))
        for (const [id, value] of Object.entries(values))
          if (value === null || value === undefined) stored.delete(`${type} ${id}`);
          else stored.set(`${type} ${id}`, JSON.stringify(value, BufferJSON.replacer));
    },
  };
}

export function openBareSocket({
  wsUrl,
  credentials = newCredentials(),
  config = {},
  onQr,
}: BareOptions): BareSocket {
  const { creds, keys } = credentials;
  const messages: BareSocket["messages"] = [];
  const states: string[] = [];
  const watchers = new Set<() => void>();
  let closeCode: number | undefined;
  const logger = pino({ level: "silent" });
  const sock = makeWASocket({ waWebSocketUrl: wsUrl, auth: { creds, keys }, logger, ...config });
  const look = (): void => {
    for (const watcher of [...watchers]) watcher();
  };

  sock.ev.on("creds.update", (update) => Object.assign(creds, update));
  sock.ev.on("connection.update", ({ connection, qr, isNewLogin, lastDisconnect }) => {
    if (qr) {
      states.push("qr");
      onQr?.(qr, sock);
    }
    if (isNewLogin) states.push("paired");
    if (connection) states.push(connection);
    if (connection === "close") closeCode = statusOf(lastDisconnect?.error);
    look();
  });
  sock.ev.on("messages.upsert", ({ messages: fresh, type }) => {
    for (const message of fresh) messages.push({ message, how: type });
    look();
  });
  for (const event of [
    "messages.update",
    "messaging-history.set",
    "contacts.upsert",
    "messages.reaction",
    "message-receipt.update",
    "call",
    "presence.update",
  ] as const)
    sock.ev.on(event, look);

  return {
    sock,
    credentials,
    messages,
    states,
    until: (what, test, timeoutMs = WAIT_MS) =>
      new Promise((resolve, reject) => {
        const stop = (): void => {
          clearTimeout(timer);
          clearInterval(poll);
          watchers.delete(watcher);
        };
        const watcher = (): void => {
          const result = test();
          if (result === undefined || result === false) return;
          stop();
          resolve(result);
        };
        const timer = setTimeout(() => {
          stop();
          reject(new Error(`waited ${timeoutMs} ms for ${what}; states: ${states.join(", ")}`));
        }, timeoutMs);
        // For what the emulator knows and the socket does not say.
        const poll = setInterval(watcher, 25);
        watchers.add(watcher);
        watcher();
      }),
    closedWith: () => closeCode,
    end: () => sock.end(undefined),
  };
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("output" in error)) return undefined;
  const { output } = error as { output?: { statusCode?: number } }; // a Boom
  return output?.statusCode;
}

export interface LinkOptions extends Omit<BareOptions, "onQr"> {
  scan: (qr: string) => Promise<unknown>;
  /** For who wants to listen from the first event on. */
  open?: (options: BareOptions) => BareSocket;
}

/** Scans by itself and comes back after the 515, as every application has to. */
export async function linkBareSocket({
  scan,
  open = openBareSocket,
  ...options
}: LinkOptions): Promise<BareSocket> {
  let scanning: Promise<unknown> | undefined;
  const first = open({ ...options, onQr: (qr) => void (scanning ??= scan(qr)) });
  await first.until("the end of the pairing connection", () => first.states.includes("close"));
  const outcome = await scanning;
  if (first.closedWith() !== DisconnectReason.restartRequired)
    throw new Error(`pairing ended with ${first.closedWith()}: ${JSON.stringify(outcome)}`);
  const second = open({ ...options, credentials: first.credentials });
  await second.until("the login", () => second.states.includes("open"));
  return second;
}
