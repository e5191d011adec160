/** For tests in one process: a fresh emulator before each, and sockets that end with it. */
import { afterEach, beforeEach, expect } from "vitest";
import { linkBareSocket, openBareSocket, type BareOptions, type BareSocket } from "./bare-socket.ts";
import { startEmulator, type Emulator } from "./emulator.ts";
import { trustEmulator } from "./trust.ts";

export interface TestBed {
  emulator: () => Emulator;
  /** A socket that is linked to the account, logged in, and through with its first sync. */
  link: (account?: string, config?: BareOptions["config"]) => Promise<BareSocket>;
  /** A socket with credentials of its own or of another. */
  open: (options?: Omit<BareOptions, "wsUrl">) => BareSocket;
  /** The same device again, once it is logged in. */
  reopen: (socket: BareSocket) => Promise<BareSocket>;
}

export function useEmulator(): TestBed {
  let running: Emulator | undefined;
  const sockets: BareSocket[] = [];
  const emulator = (): Emulator => {
    if (!running) throw new Error("outside of a test");
    return running;
  };
  const keep = (socket: BareSocket): BareSocket => {
    sockets.push(socket);
    return socket;
  };

  beforeEach(async () => {
    running = await startEmulator();
    await trustEmulator(running);
  });
  afterEach(async () => {
    await Promise.all(sockets.splice(0).map((socket) => socket.end()));
    await running?.stop();
    running = undefined;
  });

  return {
    emulator,
    async link(account, config = {}) {
      const { wsUrl } = emulator();
      const socket = keep(
        await linkBareSocket({ wsUrl, config, scan: (qr) => emulator().scanQr(qr, account) }),
      );
      await socket.until("the first sync", () => socket.credentials.creds.accountSyncCounter > 0);
      const number = socket.credentials.creds.me?.id.split(":")[0];
      await socket.until("the rest of the history", () =>
        emulator()
          .account(number)
          .devices.every(({ queued }) => queued === 0),
      );
      socket.messages.length = 0;
      return socket;
    },
    open: (options = {}) => keep(openBareSocket({ wsUrl: emulator().wsUrl, ...options })),
    async reopen({ credentials }) {
      const socket = keep(openBareSocket({ wsUrl: emulator().wsUrl, credentials }));
      await socket.until("the login", () => socket.states.includes("open"));
      return socket;
    },
  };
}

/** As long as a busy machine may need. */
const PATIENCE_MS = 15_000;
export const eventually = <T>(look: () => T): ReturnType<typeof expect.poll<T>> =>
  expect.poll(look, { timeout: PATIENCE_MS });

/** Texts of what arrived, the phone's own messages left out. */
export const textsOf = ({ messages }: BareSocket): (string | null | undefined)[] =>
  messages
    .filter(({ message }) => !message.message?.protocolMessage)
    .map(({ message }) => message.message?.conversation ?? message.message?.extendedTextMessage?.text);
